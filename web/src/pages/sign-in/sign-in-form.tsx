import { type FormEvent, useEffect, useState } from "react";
import { asBackendError } from "../../backend/errors.ts";
import { signIn, signInWays, signInWithDiscord } from "../../backend/session.ts";
import { Button } from "../../design/button.tsx";
import { Field } from "../../design/field.tsx";
import { Notice } from "../../design/states.tsx";
import { en } from "../../texts/en.ts";
import { textOfError } from "../../texts/errors.ts";
import { DiscordMark } from "./discord-mark.tsx";

type Wrong = { email?: string; password?: string };

/** What is wrong with what was entered, by field; nothing where it can be sent. */
function checkSignIn(email: string, password: string): Wrong {
  const wrong: Wrong = {};
  if (email === "") wrong.email = en.signIn.emailMissing;
  else if (!/^\S+@\S+$/.test(email)) wrong.email = en.signIn.emailInvalid;
  if (password === "") wrong.password = en.signIn.passwordMissing;
  return wrong;
}

interface SignInFormProps {
  /** Where Discord sends the person back to: a path of the portal. */
  returnTo: string;
  /** Entered already, when somebody signs in again. */
  email?: string;
  onSignedIn?: (() => void) | undefined;
}

/** E-mail and password, and Discord where Auth is set up for it. */
export function SignInForm({ returnTo, email: knownEmail = "", onSignedIn }: SignInFormProps) {
  const [wrong, setWrong] = useState<Wrong>({});
  const [refusal, setRefusal] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const hasDiscord = useDiscord();

  const attempt = async (work: () => Promise<void>) => {
    setRefusal(undefined);
    setBusy(true);
    try {
      await work();
      onSignedIn?.();
    } catch (thrown) {
      const { sentence, action } = textOfError(asBackendError(thrown).code);
      setRefusal(`${sentence} ${action}`);
    } finally {
      setBusy(false);
    }
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const entered = new FormData(form);
    const email = String(entered.get("email") ?? "").trim();
    const password = String(entered.get("password") ?? "");
    const found = checkSignIn(email, password);
    setWrong(found);
    const first = found.email !== undefined ? "email" : found.password !== undefined ? "password" : undefined;
    if (first !== undefined) {
      form.querySelector<HTMLInputElement>(`input[name=${first}]`)?.focus();
      return;
    }
    void attempt(() => signIn(email, password));
  };

  return (
    <div className="space-y-5">
      <form noValidate onSubmit={submit} className="space-y-4">
        <Field
          label={en.signIn.email}
          name="email"
          type="email"
          autoComplete="username"
          defaultValue={knownEmail}
          error={wrong.email}
        />
        <Field
          label={en.signIn.password}
          name="password"
          type="password"
          autoComplete="current-password"
          error={wrong.password}
        />
        <div aria-live="assertive">{refusal !== undefined && <Notice tone="bad">{refusal}</Notice>}</div>
        <Button type="submit" look="primary" size="large" isBusy={isBusy} className="w-full">
          {en.signIn.submit}
        </Button>
      </form>
      {hasDiscord && (
        <>
          <p
            aria-hidden="true"
            className="flex items-center gap-3 text-sm text-ink-faint before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line"
          >
            {en.signIn.or}
          </p>
          <Button
            size="large"
            icon={<DiscordMark />}
            className="w-full"
            onClick={() => void attempt(() => signInWithDiscord(returnTo))}
          >
            {en.signIn.discord}
          </Button>
        </>
      )}
    </div>
  );
}

function useDiscord(): boolean {
  const [hasDiscord, setDiscord] = useState(false);
  useEffect(() => {
    let isHere = true;
    void signInWays().then(({ discord }) => isHere && setDiscord(discord));
    return () => {
      isHere = false;
    };
  }, []);
  return hasDiscord;
}
