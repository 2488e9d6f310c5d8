// @vitest-environment happy-dom
import { beforeEach, expect, test } from "vitest";
import { claim, newOnes, toastKeyOf } from "../src/app/notification-toasts.ts";
import type { Notification } from "../src/backend/notifications.ts";

const told = (id: string, change: Partial<Notification> = {}): Notification => ({
  id,
  recording_id: "55000000-0000-4000-8000-000000000001",
  kind: "recording_ready",
  payload: {},
  created_at: "2026-11-22T12:00:00+00:00",
  read_at: null,
  ...change,
});

beforeEach(() => localStorage.clear());

test("what lay there before the page was opened, and what was read, is no news", () => {
  const old = told("old");
  const known = new Set([toastKeyOf(old)]);
  expect(newOnes([told("read", { read_at: "2026-11-22T12:00:01+00:00" }), old], known)).toEqual([]);
  expect(newOnes([told("new"), old], known).map(({ id }) => id)).toEqual(["new"]);
});

test("the same thing told anew is news again", () => {
  const known = new Set([toastKeyOf(told("one"))]);
  expect(newOnes([told("one", { created_at: "2026-11-23T08:00:00+00:00" })], known)).toHaveLength(1);
});

test("of all tabs that ask, the first one shows it", async () => {
  expect(await Promise.all([claim("a toast"), claim("a toast"), claim("another")])).toEqual([
    true,
    false,
    true,
  ]);
});

test("a hundred later ones do not make an old one new", async () => {
  await claim("the first");
  for (let index = 0; index < 99; index += 1) await claim(`toast ${index}`);
  expect(await claim("the first")).toBe(false);
});
