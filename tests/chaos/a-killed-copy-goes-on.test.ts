import { expect, test } from "vitest";
import { localBucket } from "../../local/stack/environment.ts";
import { useStack } from "../integration/stack-under-test.ts";
import { killTheCopier } from "./kill-the-copier.ts";
import { createUploadLog } from "./upload-log.ts";

const MIB = 2 ** 20;
/** Any number proves it; this one is printed so that what it met can be met again. */
const SEED = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000);

const uploads = createUploadLog(localBucket.name);
const under = useStack({ staging: true, output: { part: uploads.take, notice: () => undefined } });

test("a copy whose worker is killed at any moment ends byte for byte, and sends at most one part again per kill", async () => {
  const { stack, sql } = under;
  uploads.lines.length = 0;
  const result = await killTheCopier({
    stack,
    sql,
    uploads,
    bytes: 96 * MIB,
    partBytes: 5 * MIB,
    kills: 4,
    seed: SEED,
    sliceBytes: 15 * MIB,
    limitMs: 580_000,
    say: () => undefined,
  });
  expect(result, `seed ${SEED}`).toMatchObject({ kills: 4, isIdentical: true, left: [], unexplained: [] });
  // Two of three are aimed at a part on its way.
  expect(result.killsInTheAir, `seed ${SEED}`).toBeGreaterThanOrEqual(3);
}, 600_000);
