import { LogOut } from "lucide-react";
import { useLocation } from "react-router";
import { forgetSession, useSession } from "../backend/session.ts";
import { Button } from "../design/button.tsx";
import { Dialog } from "../design/dialog.tsx";
import { SignInForm } from "../pages/sign-in/sign-in-form.tsx";
import { en } from "../texts/en.ts";

/** The session ended while a page was open: asks to sign in over it. The page stays as it is, a call goes on. */
export default function SessionEnded() {
  const session = useSession();
  const { pathname, search } = useLocation();
  if (session.status !== "expired") return null;
  return (
    <Dialog title={en.signIn.expiredTitle}>
      <p className="text-ink-soft">{en.signIn.expiredText}</p>
      <SignInForm returnTo={`${pathname}${search}`} email={session.email} />
      <Button look="quiet" icon={<LogOut />} className="w-full" onClick={forgetSession}>
        {en.signIn.somebodyElse}
      </Button>
    </Dialog>
  );
}
