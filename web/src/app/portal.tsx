import { QueryClientProvider } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { queries } from "../backend/client.ts";
import { useToasts } from "../design/toasts.ts";
import { ErrorBoundary } from "./error-boundary.tsx";
import { Router } from "./router.tsx";

const ToastViewport = lazy(() => import("../design/toast-viewport.tsx"));

/** The whole portal. */
export function Portal() {
  return (
    <ErrorBoundary>
      <QueryClientProvider client={queries}>
        <Router />
      </QueryClientProvider>
    </ErrorBoundary>
  );
}

/** Toasts, whose code comes with the first one. Inside the router: they lead somewhere. */
export function Toasts() {
  const toasts = useToasts();
  if (toasts.length === 0) return null;
  return (
    <Suspense>
      <ToastViewport />
    </Suspense>
  );
}
