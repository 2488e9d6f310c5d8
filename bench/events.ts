import { createHmac, timingSafeEqual } from "node:crypto";
import { receiveAgoraEvent } from "../supabase/functions/_shared/control/receive-event.ts";
import { monotonicMs } from "./clock.ts";
import type { Figure } from "./figures.ts";
import type { Suite } from "./suite.ts";

const secrets = ["the secret that comes", "the secret that goes"];
const runs = 2_000;
const longestBytes = 64 * 1024;

/** What receiving one event of the engine costs beside the database's part, and what its two unavoidable steps cost. */
export const events: Suite = async ({ signal, say }) => {
  say("events: receiving signed events, with a database that answers at once");
  const plain = eventOf("");
  const longest = eventOf("x".repeat(longestBytes - Buffer.byteLength(eventOf(""))));
  const figures: Figure[] = [];
  for (const [what, body] of [
    ["an event of the usual size", plain],
    ["an event of 64 KiB", longest],
  ] as const) {
    const name = `own work for ${what}`;
    const signature = signed(body, secrets.at(-1) ?? "");
    const own = await timed(signal, () => receive(body, signature));
    const peer = await timed(signal, () => verifyAndParse(body, signature));
    const ratio = medianOf(own.took) / medianOf(peer.took);
    figures.push(
      {
        name,
        unit: "ms",
        values: own.worked,
        target: { of: "max", below: 50 },
        note: "processor time from the request to its answer, two secrets tried, nothing of the first run left out",
      },
      {
        name: "from the request to its answer",
        unit: "ms",
        values: own.took,
        note: "on the clock: a busy machine makes it wait",
        partOf: name,
      },
      {
        name: "its signature by node:crypto and JSON.parse alone",
        unit: "ms",
        values: peer.took,
        note: `ours takes ${ratio.toFixed(1)} times as long: it reads a stream, checks every member, and answers`,
        partOf: name,
      },
    );
  }
  const forged = await timed(signal, () => receive(plain, "0".repeat(64), 401));
  figures.push({
    name: "own work for a forged event",
    unit: "ms",
    values: forged.worked,
    target: { of: "max", below: 50 },
  });
  return figures;
};

/** Milliseconds of each run: on the clock, and of processor time with all of this process' threads. */
async function timed(
  signal: AbortSignal,
  work: () => unknown,
): Promise<{ took: number[]; worked: number[] }> {
  const took: number[] = [];
  const worked: number[] = [];
  for (let run = 0; run < runs; run++) {
    signal.throwIfAborted();
    const since = monotonicMs();
    const cpu = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(cpu);
    took.push(monotonicMs() - since);
    worked.push((user + system) / 1000);
  }
  return { took, worked };
}

async function receive(body: string, signature: string, wanted = 200): Promise<void> {
  const request = new Request("https://functions.example/agora-events", {
    method: "POST",
    body,
    headers: { "agora-signature-v2": signature },
  });
  const response = await receiveAgoraEvent(request, {
    secrets: () => secrets,
    database: () => ({
      noteUnverifiedEvent: () => Promise.resolve(true),
      receiveEvent: () => Promise.resolve({ is_known: true, is_stored: true, lanes_to_wake: [] }),
    }),
    sendWakeUps: () => Promise.resolve(),
    waitUntil: () => {},
    log: () => {},
    now: () => Date.now(),
  });
  await response.json();
  if (response.status !== wanted) throw new Error(`an event was answered ${response.status}`);
}

function verifyAndParse(body: string, signature: string): unknown {
  const given = Buffer.from(signature, "hex");
  if (!secrets.some((secret) => timingSafeEqual(Buffer.from(signed(body, secret), "hex"), given))) {
    throw new Error("not signed");
  }
  return JSON.parse(body);
}

function signed(body: string, secret: string): string {
  return createHmac("sha256", secret).update(body).digest("hex");
}

/** An event 31 as the engine sends it; `more` fills it up. */
function eventOf(more: string): string {
  const sid = "38f8e3cfdc474cd56fc1ceba380d7e1a";
  const now = Date.now();
  const file = {
    trackType: "audio_and_video",
    uid: "0",
    mixedAllUser: true,
    isPlayable: true,
    sliceStartTime: now,
  };
  const fileList = [`${sid}_room_0.mp4`, `${sid}_room.m3u8`].map((fileName) => ({ fileName, ...file }));
  return JSON.stringify({
    notifyMs: now,
    productId: 3,
    payload: {
      cname: "room",
      uid: "4000000001",
      sid,
      sequence: 7,
      sendts: now,
      serviceType: 2,
      serviceScene: "mix_record",
      details: { msgName: "uploaded", status: 0, fileList },
      more,
    },
    eventType: 31,
    noticeId: "0123456789abcdef0123456789abcdef",
    sid,
  });
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
