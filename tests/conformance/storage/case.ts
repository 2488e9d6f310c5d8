import assert from "node:assert/strict";
import { RecorderFailure } from "../../../supabase/functions/_shared/errors.ts";
import type { Target } from "./target.ts";

/**
 * Who keeps to a rule. `s3`: every S3-compatible store. `b2`: B2 by its documentation, others may differ.
 * `assumed`: what neither documents for B2 and our local store therefore takes from S3, the stricter way.
 */
export type Holds = "s3" | "b2" | "assumed";

export interface Case {
  /** A sentence about the store. */
  name: string;
  holds: Holds;
  /** Changes settings of the bucket, and puts them back. */
  configures?: boolean;
  /** Throws what differs. */
  run(target: Target): Promise<void>;
}

/** Expects our client to fail with a code of its own. */
export async function failsWith(work: Promise<unknown>, ...codes: string[]): Promise<void> {
  try {
    await work;
  } catch (thrown) {
    if (!(thrown instanceof RecorderFailure)) throw thrown;
    assert.ok(codes.includes(thrown.error.code), `${thrown.error.code} (${thrown.error.detail ?? ""})`);
    return;
  }
  assert.fail(`served instead of refused with ${codes.join(" or ")}`);
}

/** All pages of a list. */
export async function allOf<Page>(pages: AsyncIterable<Page>): Promise<Page[]> {
  const all: Page[] = [];
  for await (const page of pages) all.push(page);
  return all;
}
