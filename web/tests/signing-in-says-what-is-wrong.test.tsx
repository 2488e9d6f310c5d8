// @vitest-environment happy-dom
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { beforeEach, expect, test, vi } from "vitest";
import { replaceBackend } from "../src/backend/client.ts";
import { SignInForm } from "../src/pages/sign-in/sign-in-form.tsx";
import { show } from "./dom.tsx";

const signInWithPassword = vi.fn();
const signInWithOAuth = vi.fn(async () => ({ data: {}, error: null }));
let external: Record<string, boolean>;

beforeEach(() => {
  external = { email: true, discord: false };
  signInWithPassword.mockReset();
  vi.stubGlobal("fetch", async () => Response.json({ external }));
  replaceBackend({ auth: { signInWithPassword, signInWithOAuth } } as unknown as Parameters<
    typeof replaceBackend
  >[0]);
});

const press = () => userEvent.click(screen.getByRole("button", { name: "Sign in" }));

test("an empty form says at each field what is missing, moves there, and asks nobody", async () => {
  const { container } = show(<SignInForm returnTo="/" />);
  await press();
  const email = screen.getByLabelText("E-mail");
  expect(email.getAttribute("aria-invalid")).toBe("true");
  expect(document.getElementById(email.getAttribute("aria-describedby") ?? "")?.textContent).toBe(
    "Enter your e-mail address.",
  );
  expect(document.activeElement).toBe(email);
  expect(signInWithPassword).not.toHaveBeenCalled();
  expect((await axe.run(container)).violations).toEqual([]);
});

test("a refusal is said in our words, and nothing that was entered is lost", async () => {
  signInWithPassword.mockResolvedValue({
    data: {},
    error: Object.assign(new Error("Invalid login credentials"), {
      code: "invalid_credentials",
      status: 400,
    }),
  });
  show(<SignInForm returnTo="/" email="mentor@example.com" />);
  await userEvent.type(screen.getByLabelText("Password"), "wrong");
  await press();
  expect((await screen.findByRole("status")).textContent).toBe(
    "E-mail or password is not right. Check both and try again.",
  );
  expect(screen.getByLabelText<HTMLInputElement>("E-mail").value).toBe("mentor@example.com");
  expect(screen.getByLabelText<HTMLInputElement>("Password").value).toBe("wrong");
});

test("while it is under way a second press sends nothing", async () => {
  const answer = Promise.withResolvers();
  signInWithPassword.mockReturnValue(answer.promise);
  const signedIn = vi.fn();
  show(<SignInForm returnTo="/" email="mentor@example.com" onSignedIn={signedIn} />);
  await userEvent.type(screen.getByLabelText("Password"), "recorded-here");
  await press();
  await press();
  await press();
  expect(signInWithPassword).toHaveBeenCalledTimes(1);
  answer.resolve({ data: { user: { id: "u", email: "mentor@example.com" } }, error: null });
  await vi.waitFor(() => expect(signedIn).toHaveBeenCalledTimes(1));
});

test("Discord is offered only where Auth has it, and comes back to the page one came from", async () => {
  show(<SignInForm returnTo="/recordings/1" />);
  expect(screen.queryByRole("button", { name: "Continue with Discord" })).toBeNull();
  external = { email: true, discord: true };
  show(<SignInForm returnTo="/recordings/1" />);
  await userEvent.click(await screen.findByRole("button", { name: "Continue with Discord" }));
  expect(signInWithOAuth).toHaveBeenCalledWith(
    expect.objectContaining({
      provider: "discord",
      options: { redirectTo: expect.stringContaining("/sign-in?to=%2Frecordings%2F1") },
    }),
  );
});
