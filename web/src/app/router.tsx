import { lazy, type ReactNode, Suspense } from "react";
import { BrowserRouter, Navigate, Outlet, Route, Routes, useLocation } from "react-router";
import { useSession } from "../backend/session.ts";
import { useToasts } from "../design/toasts.ts";
import { ErrorBoundary } from "./error-boundary.tsx";
import { NotFound } from "./not-found.tsx";
import { PageLoading } from "./page-loading.tsx";
import { Shell } from "./shell.tsx";
import { whenOnline } from "./when-online.ts";

const SignInPage = lazy(whenOnline(() => import("../pages/sign-in/sign-in-page.tsx")));
const HomePage = lazy(whenOnline(() => import("../pages/home/home-page.tsx")));
const CallPage = lazy(whenOnline(() => import("../pages/call/call-page.tsx")));
const RecordingsPage = lazy(whenOnline(() => import("../pages/recordings/recordings-page.tsx")));
const PlayerPage = lazy(whenOnline(() => import("../pages/player/player-page.tsx")));
const AlertsPage = lazy(whenOnline(() => import("../pages/alerts/alerts-page.tsx")));

const SessionEnded = lazy(whenOnline(() => import("./session-ended.tsx")));
const ToastViewport = lazy(whenOnline(() => import("../design/toast-viewport.tsx")));

/** All pages and who may see them. */
export function Router() {
  return (
    <BrowserRouter>
      <Routes>
        <Route path="/sign-in" element={<Page of={<SignInPage />} />} />
        <Route element={<SignedIn />}>
          {/* The call has the whole window to itself. */}
          <Route path="/video-call/:mentorshipId" element={<Page of={<CallPage />} />} />
          <Route element={<Shell />}>
            <Route index element={<Page of={<HomePage />} />} />
            <Route path="/video-call/:mentorshipId/recordings" element={<Page of={<RecordingsPage />} />} />
            <Route path="/recordings/:id" element={<Page of={<PlayerPage />} />} />
            <Route path="/alerts" element={<Page of={<AlertsPage />} />} />
            <Route path="*" element={<NotFound />} />
          </Route>
        </Route>
      </Routes>
      <SessionEndedOverPage />
      <Toasts />
    </BrowserRouter>
  );
}

/** The question to sign in again, over whatever is open; its code comes when it is needed. */
function SessionEndedOverPage() {
  const { status } = useSession();
  if (status !== "expired") return null;
  return (
    <ErrorBoundary fallback={null}>
      <Suspense>
        <SessionEnded />
      </Suspense>
    </ErrorBoundary>
  );
}

/** Toasts, whose code comes with the first one. */
function Toasts() {
  if (useToasts().length === 0) return null;
  return (
    <ErrorBoundary fallback={null}>
      <Suspense>
        <ToastViewport />
      </Suspense>
    </ErrorBoundary>
  );
}

/** A page whose code comes when it is opened; what it throws stays with it. */
function Page({ of: page }: { of: ReactNode }) {
  const { pathname } = useLocation();
  return (
    <ErrorBoundary key={pathname}>
      <Suspense fallback={<PageLoading />}>{page}</Suspense>
    </ErrorBoundary>
  );
}

/** Pages for whoever is signed in; others come back here after they have. */
function SignedIn() {
  const session = useSession();
  const { pathname, search, hash } = useLocation();
  if (session.status === "loading") return <PageLoading />;
  if (session.status === "signed_out") {
    const here = `${pathname}${search}${hash}`;
    return <Navigate to={here === "/" ? "/sign-in" : `/sign-in?to=${encodeURIComponent(here)}`} replace />;
  }
  return <Outlet />;
}
