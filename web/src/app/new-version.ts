const reloadedKey = "reloaded-for-a-new-version-at";
/** A reload that did not help is not tried again at once. */
const restMs = 60_000;

/**
 * After a deployment an open page asks for files that are gone. It is loaded anew, once; never where the portal itself does not answer,
 * since a reload would leave nothing, nor in a call, where the page says that a part of it is missing and leaves it to the person. Called once.
 */
export function reloadForNewVersion(): void {
  window.addEventListener("vite:preloadError", () => {
    const isCall = /^\/video-call\/[^/]+\/?$/.test(location.pathname);
    if (isCall || Date.now() - Number(sessionStorage.getItem(reloadedKey) ?? 0) < restMs) return;
    void reloadIfThere();
  });
}

async function reloadIfThere(): Promise<void> {
  const answer = await fetch("/", { method: "HEAD", cache: "no-store" }).catch(() => undefined);
  if (answer?.ok !== true) return;
  sessionStorage.setItem(reloadedKey, String(Date.now()));
  location.reload();
}
