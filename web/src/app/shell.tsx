import { lazy, Suspense } from "react";
import { Link, Outlet } from "react-router";
import { en } from "../texts/en.ts";
import { AccountMenu } from "./account-menu.tsx";
import { ErrorBoundary } from "./error-boundary.tsx";
import { OfflineBanner } from "./offline-banner.tsx";
import { useFocusOnNewPage } from "./page-focus.ts";
import { PageLoading } from "./page-loading.tsx";
import { whenOnline } from "./when-online.ts";

// Comes beside the page's own code, not before it.
const Bell = lazy(whenOnline(() => import("./bell.tsx")));

/** What surrounds every page but the call: the header with the way home, the bell and the account. */
export function Shell() {
  useFocusOnNewPage();
  return (
    <div className="flex min-h-dvh flex-col">
      <a
        href="#content"
        className="sr-only z-50 rounded-control bg-accent px-4 py-2 text-on-accent focus:not-sr-only focus:fixed focus:left-3 focus:top-3"
      >
        {en.skipToContent}
      </a>
      <header className="sticky top-0 z-40 border-b border-line bg-surface/90 backdrop-blur">
        <div className="mx-auto flex h-14 max-w-5xl items-center gap-2 px-4 sm:px-6">
          <Link
            to="/"
            className="mr-auto flex items-center gap-2.5 rounded-control py-1.5 pr-2 text-base font-semibold tracking-tight"
          >
            <img src="/icon.svg" alt="" width="28" height="28" />
            {en.product}
          </Link>
          <ErrorBoundary fallback={null}>
            <Suspense fallback={<div className="size-10 pointer-coarse:size-11" />}>
              <Bell />
            </Suspense>
          </ErrorBoundary>
          <AccountMenu />
        </div>
        <OfflineBanner />
      </header>
      <main id="content" tabIndex={-1} className="mx-auto w-full max-w-5xl flex-1 px-4 py-6 sm:px-6 sm:py-8">
        <Suspense fallback={<PageLoading />}>
          <Outlet />
        </Suspense>
      </main>
    </div>
  );
}
