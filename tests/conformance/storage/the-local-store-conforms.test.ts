import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningB2, startB2 } from "../../../local/b2/server.ts";
import { b2Settings } from "../../../local/b2/settings.ts";
import { quietLog } from "../../../local/stack/part.ts";
import { allOf } from "./case.ts";
import { CASES } from "./cases.ts";
import { openTarget, type Target } from "./target.ts";

const key = { keyId: "0050000000000000000000001", applicationKey: "K005conformanceconformanceconfo" };
const bucket = "conformance";
const region = "us-east-005";
const capabilities = ["readBuckets", "writeBuckets", "listFiles", "readFiles", "writeFiles", "deleteFiles"];
let dataDir: string;
let store: RunningB2;
let target: Target;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "b2-"));
  const keys = [{ ...key, bucket, capabilities }];
  const settings = b2Settings.parse({ port: 0, dataDir, region, buckets: [{ name: bucket }], keys });
  store = await startB2(settings, quietLog);
  target = openTarget({ endpoint: store.address, region, bucket, ...key });
});
afterAll(async () => {
  await store.stop();
  await rm(dataDir, { recursive: true });
});

test("there are cases, each with a name of its own", () => {
  expect(CASES.length).toBeGreaterThan(30);
  expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length);
});

test.each(CASES.map((one) => [one.name, one] as const))("%s", async (_, { run }) => {
  await run(target);
});

test("a run leaves nothing behind", async () => {
  await target.clean();
  expect(await allOf(target.client.listVersions(""))).toEqual([{ versions: [] }]);
  expect(await allOf(target.client.listMultipartUploads(""))).toEqual([{ uploads: [] }]);
});
