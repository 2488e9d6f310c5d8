import { QueryClientProvider } from "@tanstack/react-query";
import { queries } from "../backend/client.ts";
import { ErrorBoundary } from "./error-boundary.tsx";
import { Router } from "./router.tsx";

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
