// @vitest-environment happy-dom
import { render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { ErrorBoundary } from "../src/app/error-boundary.tsx";
import { whenOnline } from "../src/app/when-online.ts";
import { BackendError } from "../src/backend/errors.ts";
import { ErrorState } from "../src/design/states.tsx";
import { show } from "./dom.tsx";

afterEach(() => vi.restoreAllMocks());

const network = (isThere: boolean) => vi.spyOn(navigator, "onLine", "get").mockReturnValue(isThere);
const comeBack = () => {
  network(true);
  window.dispatchEvent(new Event("online"));
};
const notThere = () => new TypeError("Failed to fetch dynamically imported module: /assets/page.js");

function NotThere(): never {
  throw notThere();
}

test("code that cannot come waits for the network", async () => {
  network(false);
  const load = vi.fn<() => Promise<string>>().mockRejectedValueOnce(notThere()).mockResolvedValue("the page");
  const coming = whenOnline(load)();
  await vi.waitFor(() => expect(load).toHaveBeenCalledTimes(1));
  comeBack();
  expect(await coming).toBe("the page");
});

test("code that fails with a network fails: it is not asked for for ever", async () => {
  network(true);
  const load = vi.fn<() => Promise<string>>().mockRejectedValue(notThere());
  await expect(whenOnline(load)()).rejects.toThrow("dynamically imported module");
  expect(load).toHaveBeenCalledTimes(1);
});

test("a page whose code did not come is not called a mistake of ours", () => {
  // React tells the console of every error that a boundary catches.
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  render(
    <ErrorBoundary>
      <NotThere />
    </ErrorBoundary>,
  );
  expect(screen.getByRole("alert").textContent).toContain("The portal cannot be reached.");
  expect(screen.getByRole("button", { name: "Reload the page" })).toBeDefined();
});

test("what wanted for the network only is asked for again when that is back; a refusal is not", () => {
  const refetch = vi.fn();
  show(<ErrorState error={new BackendError("backend_unreachable", "Failed to fetch")} onRetry={refetch} />);
  comeBack();
  expect(refetch).toHaveBeenCalledTimes(1);

  const again = vi.fn();
  show(<ErrorState error={new BackendError("unexpected_error", "boom")} onRetry={again} />);
  comeBack();
  expect(again).not.toHaveBeenCalled();
});
