import { QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render } from "@testing-library/react";
import type { ReactNode } from "react";
import { MemoryRouter } from "react-router";
import { afterEach } from "vitest";
import { queries } from "../src/backend/client.ts";

afterEach(() => {
  cleanup();
  queries.clear();
});

/** Shows something as the portal would: with its router and its cache. */
export function show(element: ReactNode, path = "/") {
  return render(
    <QueryClientProvider client={queries}>
      <MemoryRouter initialEntries={[path]}>{element}</MemoryRouter>
    </QueryClientProvider>,
  );
}
