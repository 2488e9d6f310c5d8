import { LogOut, Monitor, Moon, Sun, UserRound } from "lucide-react";
import { asBackendError } from "../backend/errors.ts";
import { signOut, useSession } from "../backend/session.ts";
import { Menu } from "../design/menu.tsx";
import { showToast } from "../design/toasts.ts";
import { en } from "../texts/en.ts";
import { setTheme, type Theme, useTheme } from "./theme.ts";

const themes: readonly { theme: Theme; label: string; icon: React.ReactNode }[] = [
  { theme: "system", label: en.themeSystem, icon: <Monitor /> },
  { theme: "light", label: en.themeLight, icon: <Sun /> },
  { theme: "dark", label: en.themeDark, icon: <Moon /> },
];

async function leave(): Promise<void> {
  try {
    await signOut();
  } catch (thrown) {
    const { textOfError } = await import("../texts/errors.ts");
    const { sentence, action } = textOfError(asBackendError(thrown).code);
    showToast({ id: "sign-out", tone: "bad", title: sentence, text: action });
  }
}

/** How the portal looks, and the way out. */
export function AccountMenu() {
  const session = useSession();
  const theme = useTheme();
  const email = "email" in session ? session.email : "";
  return (
    <Menu
      label={en.account(email)}
      icon={<UserRound />}
      items={[
        ...themes.map((choice) => ({
          label: choice.label,
          icon: choice.icon,
          isChosen: choice.theme === theme,
          onSelect: () => setTheme(choice.theme),
        })),
        { label: en.signOut, icon: <LogOut />, onSelect: () => void leave() },
      ]}
    />
  );
}
