import { renewSession } from "./session.ts";

/** A page that was out of sight for longer has missed things that no message brings back. */
const longAbsenceMs = 60_000;

const returners = new Set<() => void>();
let hiddenAt: number | undefined;

/** Calls back when the page comes back: into sight after more than a minute, or online. The session is renewed before. */
export function onReturn(back: () => void): () => void {
  returners.add(back);
  return () => returners.delete(back);
}

async function comeBack(): Promise<void> {
  // An error here shows itself at the next question that is asked.
  await renewSession().catch(() => undefined);
  for (const back of [...returners]) back();
}

/** Begins to look for returns. Called once. */
export function watchForReturns(): void {
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") hiddenAt = Date.now();
    else if (hiddenAt !== undefined && Date.now() - hiddenAt > longAbsenceMs) void comeBack();
  });
  window.addEventListener("online", () => void comeBack());
}
