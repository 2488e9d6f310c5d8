import { LogOut, Monitor, Moon, Siren, Sun, UserRound } from "lucide-react";
import { useNavigate } from "react-router";
import { useIsAdministrator } from "../backend/alerts.ts";
import { asBackendError } from "../backend/errors.ts";
import { signOut } from "../backend/session.ts";
import { Menu } from "../design/menu.tsx";
import { showToast } from "../design/toasts.ts";
import { en } from "../texts/en.ts";
import { textOfError } from "../texts/errors.ts";
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
    const { sentence, action } = textOfError(asBackendError(thrown).code);
    showToast({ id: "sign-out", tone: "bad", title: sentence, text: action });
  }
}

/** How the portal looks, the way out, and for administrators the way to the alerts. */
export default function OpenAccountMenu({ label }: { label: string }) {
  const theme = useTheme();
  const navigate = useNavigate();
  const isAdministrator = useIsAdministrator();
  return (
    <Menu
      label={label}
      icon={<UserRound />}
      items={[
        ...themes.map((choice) => ({
          label: choice.label,
          icon: choice.icon,
          isChosen: choice.theme === theme,
          onSelect: () => setTheme(choice.theme),
        })),
        { label: en.signOut, icon: <LogOut />, onSelect: () => void leave() },
        // Last, because it comes when the answer does: nothing may move under somebody's pointer.
        ...(isAdministrator
          ? [{ label: en.alerts, icon: <Siren />, onSelect: () => void navigate("/alerts") }]
          : []),
      ]}
    />
  );
}
