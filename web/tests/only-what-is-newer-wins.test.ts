import { expect, test } from "vitest";
import { NewestRows, replaceIn } from "../src/backend/versions.ts";

interface Row {
  id: string;
  version: number;
  status: string;
  size: number | null;
}
const row = (version: number, status: string, size: number | null = null): Row => ({
  id: "a",
  version,
  status,
  size,
});

test("a slow snapshot does not take back what an event told", () => {
  const rows = new NewestRows<Row>();
  rows.take(row(1, "starting"));
  rows.change({ id: "a", version: 3, status: "recording" });
  expect(rows.take(row(2, "starting")).status).toBe("recording");
});

test("what is not newer gives the very same object, so that nothing is drawn again", () => {
  const rows = new NewestRows<Row>();
  const first = rows.take(row(2, "recording"));
  expect(rows.take(row(2, "recording"))).toBe(first);
  expect(rows.change({ id: "a", version: 1, status: "starting" })).toBe(first);
});

test("an event keeps the columns that it does not carry", () => {
  const rows = new NewestRows<Row>();
  rows.take(row(1, "recording", 7));
  expect(rows.change({ id: "a", version: 2, status: "stopping" })).toEqual(row(2, "stopping", 7));
});

test("an event about a row that nobody knows asks for a fetch", () => {
  expect(new NewestRows<Row>().change({ id: "b", version: 9, status: "recording" })).toBeUndefined();
});

test("a whole row completes what events told of the same version, but never an older one", () => {
  const rows = new NewestRows<Row>();
  rows.take(row(1, "processing"));
  rows.change({ id: "a", version: 5, status: "recorded" });
  expect(rows.complete(row(5, "recorded", 42)).size).toBe(42);
  expect(rows.complete(row(4, "processing", 1)).status).toBe("recorded");
});

test("with the same version a rule may decide: what has ended stays ended", () => {
  const calls = new NewestRows<Row>((known, come) => known.status === "active" && come.status !== "active");
  calls.take(row(1, "active"));
  expect(calls.take(row(1, "ended")).status).toBe("ended");
  expect(calls.take(row(1, "active")).status).toBe("ended");
});

test("nothing of one person is left for the next", () => {
  const rows = new NewestRows<Row>();
  rows.take(row(9, "recorded"));
  rows.clear();
  expect(rows.take(row(1, "starting")).status).toBe("starting");
});

test("a list that holds the row takes the newer one in its place, and stays the same object where nothing changed", () => {
  const [first, second] = [row(1, "a"), { ...row(1, "b"), id: "2" }];
  const list = [first, second];
  const newer = { ...second, version: 2 };
  expect(replaceIn(list, newer)).toEqual([first, newer]);
  expect(replaceIn(list, second)).toBe(list);
  expect(replaceIn(list, { ...newer, id: "3" })).toBe(list);
});
