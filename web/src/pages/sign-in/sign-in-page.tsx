import { useEffect, useState } from "react";
import { Navigate, useLocation } from "react-router";
import { OfflineBanner } from "../../app/offline-banner.tsx";
import { usePageTitle } from "../../app/page-focus.ts";
import { PageLoading } from "../../app/page-loading.tsx";
import { linkProfile, useSession } from "../../backend/session.ts";
import { Card } from "../../design/card.tsx";
import { Notice } from "../../design/states.tsx";
import { showToast } from "../../design/toasts.ts";
import { en } from "../../texts/en.ts";
import { textOfError } from "../../texts/errors.ts";
import { returnPathOf } from "./return-path.ts";
import { SignInForm } from "./sign-in-form.tsx";

/** The way in. Whoever is in already goes on to where they wanted to be. */
export default function SignInPage() {
  usePageTitle(en.signIn.title);
  const session = useSession();
  const { search } = useLocation();
  const to = returnPathOf(search);
  const discordFailed = new URLSearchParams(search).has("error");
  const isLinked = useLinkedProfile(session.status === "signed_in");

  if (session.status === "signed_in" || session.status === "expired")
    return isLinked ? <Navigate to={to} replace /> : <PageLoading />;
  if (session.status === "loading") return <PageLoading />;
  return (
    <div className="flex min-h-dvh flex-col">
      <OfflineBanner />
      <main className="m-auto w-full max-w-md px-4 py-10">
        <div className="mb-8 flex flex-col items-center gap-3 text-center">
          <img src="/icon.svg" alt="" width="56" height="56" />
          <h1 className="text-2xl font-semibold tracking-tight">{en.signIn.title}</h1>
          <p className="text-balance text-ink-soft">{en.signIn.lead}</p>
        </div>
        <Card className="space-y-5 p-6 sm:p-8">
          {discordFailed && (
            <Notice tone="warn" isUrgent>
              {en.signIn.discordFailed}
            </Notice>
          )}
          <SignInForm returnTo={to} />
        </Card>
      </main>
    </div>
  );
}

/** Ties a sign-in with Discord to its mentor or mentee, before the pages ask whom this person meets. */
function useLinkedProfile(isSignedIn: boolean): boolean {
  const [isLinked, setLinked] = useState(false);
  useEffect(() => {
    if (!isSignedIn) return;
    let isHere = true;
    void linkProfile()
      .then((refusal) => {
        if (refusal === undefined) return;
        const { sentence, action } = textOfError(refusal.code);
        showToast({ id: "profile", tone: "warn", title: sentence, text: action });
      })
      .catch(() => undefined)
      .finally(() => isHere && setLinked(true));
    return () => {
      isHere = false;
    };
  }, [isSignedIn]);
  return isLinked;
}
