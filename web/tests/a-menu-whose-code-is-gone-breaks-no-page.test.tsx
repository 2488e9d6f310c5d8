// @vitest-environment happy-dom
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { AccountMenu } from "../src/app/account-menu.tsx";
import { show } from "./dom.tsx";

vi.mock("../src/app/open-account-menu.tsx", () => {
  throw new Error("Failed to fetch dynamically imported module");
});

test("a menu whose code is gone leaves its button, and the page around it", async () => {
  const told = vi.spyOn(console, "error").mockImplementation(() => undefined);
  show(
    <main>
      <h1>Home</h1>
      <AccountMenu />
    </main>,
  );
  await userEvent.click(screen.getByRole("button", { name: /^Account of/ }));
  await vi.waitFor(() => expect(told).toHaveBeenCalled(), { timeout: 30_000 });
  await screen.findByRole("heading", { name: "Home" });
  await screen.findByRole("button", { name: /^Account of/ });
});
