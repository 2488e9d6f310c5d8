import { UserRound } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { useSession } from "../backend/session.ts";
import { IconButton } from "../design/button.tsx";
import { en } from "../texts/en.ts";
import { ErrorBoundary } from "./error-boundary.tsx";
import { whenOnline } from "./when-online.ts";

const OpenAccountMenu = lazy(whenOnline(() => import("./open-account-menu.tsx")));

/** The button of the account. What is in its menu comes with the first press. */
export function AccountMenu() {
  const session = useSession();
  const [wasPressed, setPressed] = useState(false);
  const label = en.account("email" in session ? session.email : "");
  const button = (
    <IconButton
      label={label}
      icon={<UserRound />}
      aria-haspopup="menu"
      aria-expanded={false}
      onClick={() => setPressed(true)}
    />
  );
  if (!wasPressed) return button;
  return (
    <ErrorBoundary fallback={button}>
      <Suspense fallback={button}>
        <OpenAccountMenu label={label} />
      </Suspense>
    </ErrorBoundary>
  );
}
