import { setTimeout as pause } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import { FAULT_KINDS, type FaultInput, type FaultKind } from "../../local/b2/faults.ts";
import { useStack } from "../integration/stack-under-test.ts";
import { openStores, type PlantedRecording, plantRecording, type StagedStores } from "./staged-recording.ts";

const under = useStack({ staging: true });

/** Where the engine wrote: into our bucket, or into a store of its own that is copied from. */
type Way = "direct" | "staged";
/** How a recording ends that meets a fault once at every step: there, or failed for a reason that blames one of these. */
type End = "recorded" | "us" | "storage" | "configuration";

/**
 * Everything passes but one: a store that says it was told no length is told of a request of ours that can never be right.
 * Where it concerns one copy, that one is tried again an hour later; where the recording itself could not be written
 * down, it fails and says so, with its files where they are.
 */
const ENDS: Record<FaultKind, Record<Way, End>> = {
  "slow-down": { direct: "recorded", staged: "recorded" },
  "too-many-requests": { direct: "recorded", staged: "recorded" },
  "no-tomes": { direct: "recorded", staged: "recorded" },
  "internal-error": { direct: "recorded", staged: "recorded" },
  "bad-gateway": { direct: "recorded", staged: "recorded" },
  "gateway-timeout": { direct: "recorded", staged: "recorded" },
  "request-timeout": { direct: "recorded", staged: "recorded" },
  unauthorized: { direct: "recorded", staged: "recorded" },
  "key-deleted": { direct: "recorded", staged: "recorded" },
  "signature-refused": { direct: "recorded", staged: "recorded" },
  "access-denied": { direct: "recorded", staged: "recorded" },
  "length-required": { direct: "us", staged: "recorded" },
  "transaction-cap": { direct: "recorded", staged: "recorded" },
  "storage-cap": { direct: "recorded", staged: "recorded" },
  "download-cap": { direct: "recorded", staged: "recorded" },
  "error-in-200": { direct: "recorded", staged: "recorded" },
  "connection-reset": { direct: "recorded", staged: "recorded" },
  truncated: { direct: "recorded", staged: "recorded" },
  "lost-reply": { direct: "recorded", staged: "recorded" },
  "wrong-etag": { direct: "recorded", staged: "recorded" },
  delay: { direct: "recorded", staged: "recorded" },
  slow: { direct: "recorded", staged: "recorded" },
};

/** What the functions ask the store for on each way; a fault of each kind meets every one of them. */
const STEPS: Record<Way, readonly string[]> = {
  direct: ["GetObject", "PutObject"],
  staged: [
    ...["GetObject", "PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"],
    ...["HeadObject", "ListParts"],
  ],
};
const MANNER = { delayMs: 300, afterBytes: 1_000, bytesPerSecond: 4_000_000, retryAfterSeconds: 1 };
const PART_BYTES = 5 * 1024 * 1024;

async function faults(method: "POST" | "DELETE", fault?: FaultInput): Promise<void> {
  const { stack } = under;
  const answer = await fetch(`${stack.env.BACKBLAZE_B2_ENDPOINT}/__control/faults`, {
    method,
    headers: { authorization: `Bearer ${stack.controlToken}` },
    body: fault === undefined ? null : JSON.stringify(fault),
  });
  if (!answer.ok) throw new Error(`faults: HTTP ${answer.status} ${await answer.text()}`);
}

/** Lets time pass for what waits: a pause that a store asked for, the hour after which a copy is tried again. */
async function passTime(): Promise<void> {
  await under.sql`update recorder.jobs set run_at = clock_timestamp(), not_before = null
    where lane = 'storage' and state = 'queued' and run_at > clock_timestamp() + interval '2 seconds'`;
  await under.sql`update recorder.transfers set finished_at = finished_at - interval '2 hours'
    where state = 'failed' and finished_at > clock_timestamp() - interval '1 hour'`;
  await under.sql`select recorder.sweep()`;
}

interface Told {
  status: string;
  error: { code: string; blame: string } | null;
}

async function told({ id }: PlantedRecording): Promise<Told> {
  const [row] = await under.sql<Told[]>`select status, error from public.recordings where id = ${id}`;
  return row ?? { status: "gone", error: null };
}

async function untilAll(
  planted: readonly PlantedRecording[],
  isOver: (told: Told) => boolean,
): Promise<void> {
  const waiting = new Set(planted);
  while (waiting.size > 0) {
    for (const one of waiting) if (isOver(await told(one))) waiting.delete(one);
    await passTime();
    await pause(500);
  }
}

/** Files of a recording that neither store has whole any more. */
async function lost({ hashes }: PlantedRecording, stores: StagedStores): Promise<string[]> {
  const missing: string[] = [];
  for (const [key, hash] of hashes) {
    const sums = await Promise.all(
      [stores.ours, stores.staging].map((store) => store.sha256(key).catch(() => "")),
    );
    if (!sums.includes(hash)) missing.push(key);
  }
  return missing;
}

beforeAll(async () => {
  await under.sql`update recorder.settings set value = ${PART_BYTES} where name = 'transfer_part_bytes'`;
});

test("a fault of any kind at every step ends in a recording, or in a failure that says whose it is, and loses no file", async () => {
  const stores = openStores(under.stack);
  const scenes: { name: string; end: End; planted: PlantedRecording }[] = [];
  for (const [index, kind] of FAULT_KINDS.entries()) {
    for (const way of ["direct", "staged"] as const) {
      const planted = await plantRecording(under.sql, stores, {
        segments: { count: 2, bytes: 20_000 },
        mp4Bytes: way === "staged" ? PART_BYTES + 100_000 : 50_000,
        seed: index,
        into: way === "staged" ? "staging" : "ours",
        whenStored: async ({ prefix }) => {
          for (const operation of STEPS[way]) {
            await faults("POST", { kind, operation, keyContains: prefix, times: 1, ...MANNER });
          }
        },
      });
      scenes.push({ name: `${kind}, ${way}`, end: ENDS[kind][way], planted });
    }
  }
  // A listing has no key that would tell whose it is: whoever asks next meets it. It has no body whose length could be wanted.
  for (const kind of FAULT_KINDS.filter((one) => one !== "length-required")) {
    await faults("POST", { kind, operation: "ListObjectsV2", times: 1, ...MANNER });
  }
  await untilAll(
    scenes.map(({ planted }) => planted),
    ({ status }) => status !== "processing",
  );
  const ended: Record<string, string> = {};
  const losses: Record<string, string[]> = {};
  for (const { name, planted } of scenes) {
    const { status, error } = await told(planted);
    ended[name] = status === "failed" ? (error?.blame ?? "nobody") : status;
    const gone = await lost(planted, stores);
    if (gone.length > 0) losses[name] = gone;
  }
  expect(losses).toEqual({});
  expect(ended).toEqual(Object.fromEntries(scenes.map(({ name, end }) => [name, end])));
}, 1_200_000);
