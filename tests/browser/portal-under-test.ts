import { afterAll, beforeAll } from "vitest";
import { chromiumMissing, findChromium } from "../../local/browser/chromium.ts";
import type { StackOptions } from "../../local/stack/stack.ts";
import { type StackUnderTest, useStack } from "../integration/stack-under-test.ts";
import { createVisitors, type Visitors } from "./people.ts";

/** A stack with the portal, and a browser before it. */
export interface PortalUnderTest extends StackUnderTest {
  /** Address of the portal. */
  address: string;
  visitors: Visitors;
}

/** Whether there is a browser to test with; says clearly where there is none. `describe.skipIf(!hasBrowser())`. */
export function hasBrowser(): boolean {
  const isThere = findChromium() !== undefined;
  if (!isThere) console.warn(`left out, because ${chromiumMissing}`);
  return isThere;
}

/** Gives the stories of one file one stack with the portal and one browser; see `useStack`. Call it only where `hasBrowser()`. */
export function usePortal(
  options: Pick<StackOptions, "partSettings"> & { variables?: Record<string, string> } = {},
): PortalUnderTest {
  const under = useStack({ ...options, portal: true });
  let visitors: Visitors | undefined;
  beforeAll(async () => {
    visitors = await createVisitors(addressOf());
  }, 120_000);
  afterAll(async () => {
    await visitors?.leave();
  });
  const addressOf = () => under.stack.addresses.portal ?? "";
  return {
    get stack() {
      return under.stack;
    },
    get sql() {
      return under.sql;
    },
    get engine() {
      return under.engine;
    },
    get people() {
      return under.people;
    },
    get address() {
      return addressOf();
    },
    get visitors() {
      if (visitors === undefined) throw new Error("the browser is there from beforeAll to afterAll only");
      return visitors;
    },
  };
}
