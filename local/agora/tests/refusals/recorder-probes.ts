import { deflateSync } from "node:zlib";
import { type openSink, rtcToken, startRequestFor, storageFor } from "../stage.ts";
import { cname, freshUid, type LateProbe, nowhere, type ProbeStage, tokenFor } from "./probe.ts";

/** Long enough to join with on a busy machine, short enough to wait for. */
export const tokenSeconds = 6;

const quiet = { publishers: "none", joinMs: 20 } as const;
const recording = { publishers: "synthetic", joinMs: 20, sliceSeconds: 0.5 } as const;

/** A start with another token. */
function withToken(
  token: (uid: string) => string | undefined,
  settings: LateProbe["settings"] = {},
): LateProbe {
  return {
    settings: { ...quiet, ...settings },
    begin: ({ client }) => {
      const uid = freshUid();
      return client.begin(cname, uid, startRequestFor(cname, uid, nowhere, { token: token(uid) }));
    },
    livesUntil: 4,
  };
}

/** A start with another store. */
const withStore = (storageConfig: () => unknown, settings: LateProbe["settings"] = {}): LateProbe => ({
  settings: { ...recording, ...settings },
  begin: ({ client }: ProbeStage) => {
    const uid = freshUid();
    return client.begin(cname, uid, startRequestFor(cname, uid, "", { storageConfig: storageConfig() }));
  },
  livesUntil: 5,
});

/** A token without the service for calls, or without the privilege to join. */
function strippedToken(uid: string, keep: "no service" | "no privilege"): string {
  return rtcToken({ cname, uid, strip: keep });
}

export const recorderProbes = (stores: {
  taking: () => Awaited<ReturnType<typeof openSink>>;
  refusing: () => Awaited<ReturnType<typeof openSink>>;
}) =>
  ({
    "recorder.token_missing": withToken(() => undefined),
    "recorder.token_unreadable": withToken(() => `007${deflateSync("no token").toString("base64")}`),
    "recorder.token_of_another_app": withToken((uid) => tokenFor(uid, { appId: "b".repeat(32) })),
    "recorder.token_signature": withToken((uid) => tokenFor(uid, { appCertificate: "c".repeat(32) })),
    "recorder.token_without_rtc": withToken((uid) => strippedToken(uid, "no service")),
    "recorder.token_channel": withToken((uid) => tokenFor(uid, { cname: "other" })),
    "recorder.token_uid": withToken(() => tokenFor("1")),
    "recorder.token_join": withToken((uid) => strippedToken(uid, "no privilege")),
    "recorder.token_expired": withToken((uid) => tokenFor(uid, { issuedAt: 1_700_000_000 })),
    "recorder.token_too_long": withToken((uid) => tokenFor(uid, { expire: 86_401 }), {
      unconfirmed: { tokenBeyondADay: "refused" },
    }),
    "recorder.token_end": withToken((uid) => tokenFor(uid, { expire: tokenSeconds })),
    "recorder.uid_taken": {
      settings: quiet,
      begin: ({ client, engine }) => {
        const uid = freshUid();
        engine.control.setMembers(cname, ["1", uid]);
        return client.begin(cname, uid, startRequestFor(cname, uid, nowhere));
      },
      livesUntil: 4,
    },
    "recorder.storage_endpoint": withStore(() => storageFor(`http://${stores.taking().host}`)),
    "recorder.storage_elsewhere": withStore(() => storageFor("s3.us-west-004.backblazeb2.com")),
    "recorder.storage_refused": withStore(() => storageFor(stores.refusing().host)),
    "recorder.storage_unreachable": withStore(() => storageFor(nowhere), { uploadRetryMs: [10] }),
  }) satisfies Record<string, LateProbe>;
