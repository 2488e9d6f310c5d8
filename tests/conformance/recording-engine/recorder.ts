import { randomBytes, randomInt } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { QueryOutcome, StartOutcome } from "../../../supabase/functions/_shared/agora/client.ts";
import type { StartRequest } from "../../../supabase/functions/_shared/agora/requests.ts";
import { buildRtcToken } from "../../../supabase/functions/_shared/agora/token.ts";
import { type EngineUnderTest, freshUid } from "./engine-under-test.ts";

/** One recorder as the cases use it: what it was asked with, and the calls about it. */
export interface Recorder {
  task: { cname: string; uid: string; resourceId: string; sid: string };
  request: StartRequest;
  /** The folder in the bucket, with its slash. */
  folder: string;
}

/** A complete start request for a fresh resource id. Throws when acquire is refused. */
export async function requestFor(
  engine: EngineUnderTest,
  cname: string,
  change: Partial<StartRequest> = {},
): Promise<StartRequest> {
  const uid = change.uid ?? freshUid();
  const acquired = await engine.client.acquire({ cname, uid, resourceExpiredHour: 1 });
  if (acquired.outcome !== "acquired") throw new Error(JSON.stringify(acquired));
  return {
    cname,
    uid,
    resourceId: acquired.resourceId,
    token: await tokenFor(engine, cname, uid),
    recordingConfig: {
      channelType: 1,
      streamTypes: 2,
      maxIdleTime: 60,
      transcodingConfig: { width: 640, height: 360, fps: 15, bitrate: 800, mixedVideoLayout: 1 },
    },
    recordingFileConfig: { avFileType: ["hls", "mp4"] },
    storageConfig: engine.storage(["conformance", randomBytes(8).toString("hex")]),
    ...change,
  };
}

/** A token with which a recorder may join, good for ten minutes. */
export function tokenFor(engine: EngineUnderTest, channel: string, uid: string): Promise<string> {
  const { appId, appCertificate } = engine.account;
  return buildRtcToken({
    appId,
    appCertificate,
    channel,
    uid,
    role: "subscriber",
    expiresInSeconds: 600,
    issuedAtSeconds: Math.floor(Date.now() / 1000),
    salt: randomInt(1, 99_999_999),
  });
}

/** Starts recorders and remembers them, so that nothing is left running whatever a case came to. */
export class Recorders {
  readonly #engine: () => EngineUnderTest;
  readonly #begun: Recorder[] = [];

  constructor(engine: () => EngineUnderTest) {
    this.#engine = engine;
  }

  /** Sends a start; what it came to is remembered where a task runs now. */
  async start(request: StartRequest): Promise<StartOutcome> {
    const outcome = await this.#engine().client.start(request);
    if (outcome.outcome === "started") this.#begun.push(recorderOf(request, outcome.sid));
    return outcome;
  }

  /** Acquires and starts. Throws unless both are accepted. */
  async begin(cname: string, change: Partial<StartRequest> = {}): Promise<Recorder> {
    const request = await requestFor(this.#engine(), cname, change);
    const started = await this.start(request);
    if (started.outcome !== "started") throw new Error(JSON.stringify(started));
    return recorderOf(request, started.sid);
  }

  /** Begins a recorder and waits until it is in the channel. */
  async beginRecording(cname: string, change: Partial<StartRequest> = {}): Promise<Recorder> {
    const recorder = await this.begin(cname, change);
    await this.untilQuery(recorder, (told) => told.outcome === "running" && told.phase === "recording");
    return recorder;
  }

  query({ task: { resourceId, sid } }: Recorder): Promise<QueryOutcome> {
    return this.#engine().client.query({ resourceId, sid });
  }

  /** Asks until the answer is as wanted. Throws with the last answer when the engine's patience is over. */
  async untilQuery(recorder: Recorder, isWanted: (told: QueryOutcome) => boolean): Promise<QueryOutcome> {
    const { patienceMs, lookEveryMs } = this.#engine();
    const end = Date.now() + patienceMs;
    for (;;) {
      const told = await this.query(recorder);
      if (isWanted(told)) return told;
      if (Date.now() > end) throw new Error(`still ${JSON.stringify(told)}`);
      await pause(lookEveryMs);
    }
  }

  untilGone(recorder: Recorder): Promise<QueryOutcome> {
    return this.untilQuery(recorder, ({ outcome }) => outcome === "not_found");
  }

  /** Stops whatever the cases began. */
  async stopAll(): Promise<void> {
    for (const { task } of this.#begun) await this.#engine().client.stop({ ...task, asyncStop: true });
  }
}

function recorderOf(request: StartRequest, sid: string): Recorder {
  const { cname, uid, resourceId, storageConfig } = request;
  const folder = (storageConfig.fileNamePrefix ?? []).map((name) => `${name}/`).join("");
  return { task: { cname, uid, resourceId, sid }, request, folder };
}
