import type { Call, Recording } from "./rows.ts";
import { NewestRows } from "./versions.ts";

/** The newest known recordings and calls of this page; see versions.ts. */
export const newestRecordings = new NewestRows<Recording>();

/** A call ends without a new version of its recording; and what has ended stays so. */
export const newestCalls = new NewestRows<Call>(
  (known, come) => known.status === "active" && come.status !== "active",
);

/** For a new person at the same browser. */
export function forgetRows(): void {
  newestRecordings.clear();
  newestCalls.clear();
}
