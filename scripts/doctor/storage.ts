import { type B2Client, createB2Client } from "../../supabase/functions/_shared/b2/client.ts";
import { createPresigner } from "../../supabase/functions/_shared/b2/presign.ts";
import {
  parseStoreSettings,
  regionOf,
  type StoreSettings,
} from "../../supabase/functions/_shared/b2/settings.ts";
import { bucketSettings, ingestSettings, stagingSettings } from "../../supabase/functions/_shared/config.ts";
import { asRecorderError, RecorderFailure } from "../../supabase/functions/_shared/errors.ts";
import { RECORDINGS_PREFIX } from "../../supabase/functions/_shared/recording-folder.ts";
import { type BucketRules, bucketRules, DOCTOR_POLICY } from "./bucket-rules.ts";
import { type Check, type DoctorDeps, type Finding, fine, settingOf, unknown, wrong } from "./check.ts";
import { compareClock } from "./clocks.ts";
import { setting } from "./places.ts";

/** Below the recordings' own prefix: a key may be limited to it. No recording has this name. */
const PROBES = `${RECORDINGS_PREFIX}doctor-probe/`;
const PROBE_TEXT = "Written by npm run doctor, which deletes it at once.";
/** A probe that is older was left by a doctor that was interrupted, ms. */
const OLD_PROBE_MS = 3_600_000;
const KEY_PAGE = "Backblaze, Application Keys, Add a New Application Key";

type Use = "storage" | "ingest" | "playback";

function clientFor(use: Use, deps: DoctorDeps): B2Client {
  return createB2Client(bucketSettings(deps.environment, use), deps, DOCTOR_POLICY);
}

const reachable: Check = {
  id: "storage.reachable",
  title: "The storage's endpoint answers",
  needs: ["environment.storage"],
  async run(deps) {
    const { endpoint } = parseStoreSettings(regionGiven(bucketSettings(deps.environment, "storage")));
    try {
      const response = await deps.fetch(endpoint, {
        redirect: "manual",
        signal: AbortSignal.timeout(10_000),
      });
      await response.body?.cancel();
      return fine();
    } catch {
      return wrong(
        `No answer from ${new URL(endpoint).host}.`,
        "Recordings can neither be stored nor played.",
        `Compare it with the bucket's page. ${setting("BACKBLAZE_B2_ENDPOINT")}`,
      );
    }
  },
};

/** Only the endpoint is looked at here: that the region is missing is another check's sentence. */
const regionGiven = (settings: StoreSettings): StoreSettings => ({ region: "any", ...settings });

const region: Check = {
  id: "storage.region",
  title: "Region and endpoint belong together",
  needs: ["environment.storage"],
  async run(deps) {
    const { endpoint, region: given } = bucketSettings(deps.environment, "storage");
    const told = regionOf(endpoint);
    const why =
      "Every request is signed for a region: with a wrong one each is refused as SignatureDoesNotMatch.";
    if (told === undefined && given === undefined) {
      return wrong(
        "The endpoint does not tell its region, and none is set.",
        why,
        setting("BACKBLAZE_B2_REGION"),
      );
    }
    return told === undefined || given === undefined || told === given
      ? fine()
      : wrong(
          `BACKBLAZE_B2_REGION says ${given}, the endpoint ${told}.`,
          why,
          "Take BACKBLAZE_B2_REGION out of .env: the endpoint tells it.",
        );
  },
};

const objects: Check = {
  id: "storage.objects",
  title: "The storage key writes, reads, lists and deletes objects and their versions, and gives up uploads",
  needs: ["storage.reachable", "storage.region"],
  async run(deps) {
    const client = clientFor("storage", deps);
    const key = `${PROBES}${deps.newId()}.txt`;
    let step: Step = "write";
    let left = false;
    try {
      const written = await client.put(key, PROBE_TEXT, { contentType: "text/plain" });
      left = true;
      step = "read";
      const head = await client.head(key);
      if (head === undefined || (await client.getText(key, 1_000)) !== PROBE_TEXT) {
        return wrong(
          "What was written does not read back.",
          "Recordings would be lost.",
          "Ask Backblaze's support: the bucket loses bytes.",
        );
      }
      step = "list";
      const versions: { key: string; versionId: string; lastModified: Date }[] = [];
      for await (const page of client.listVersions(PROBES)) versions.push(...page.versions);
      step = "delete";
      await client.deleteVersion(
        key,
        written.versionId ?? versions.find((version) => version.key === key)?.versionId ?? "",
      );
      left = false;
      for (const old of versions) {
        if (old.lastModified.getTime() < deps.now() - OLD_PROBE_MS)
          await client.deleteVersion(old.key, old.versionId);
      }
      step = "upload";
      const { uploadId } = await client.createMultipartUpload(key, { contentType: "text/plain" });
      await client.abortMultipartUpload(key, uploadId);
      return fine();
    } catch (thrown) {
      const finding = refusalFinding(thrown, step, "storage", deps);
      return left && finding.is === "wrong"
        ? { ...finding, what: `${finding.what} The probe ${key} is still in the bucket.` }
        : finding;
    }
  },
};

type Step = "write" | "read" | "list" | "delete" | "upload";
const capabilities: Record<Step, string> = {
  write: "writeFiles",
  read: "readFiles",
  list: "listFiles",
  delete: "deleteFiles",
  upload: "writeFiles",
};

const keyNames: Record<Use, readonly [string, string]> = {
  storage: ["BACKBLAZE_B2_ACCESS_KEY_ID", "BACKBLAZE_B2_SECRET_ACCESS_KEY"],
  ingest: ["BACKBLAZE_B2_INGEST_ACCESS_KEY_ID", "BACKBLAZE_B2_INGEST_SECRET_ACCESS_KEY"],
  playback: ["BACKBLAZE_B2_PLAYBACK_ACCESS_KEY_ID", "BACKBLAZE_B2_PLAYBACK_SECRET_ACCESS_KEY"],
};

/** What a refusal of the store means for the person who set it up. */
function refusalFinding(thrown: unknown, step: Step, use: Use, deps: DoctorDeps): Finding {
  if (!(thrown instanceof RecorderFailure)) throw thrown;
  const { code, message, detail } = asRecorderError(thrown);
  const own = keyNames[use].some((name) => settingOf(deps, name) !== undefined) ? use : "storage";
  const [idName, secretName] = keyNames[own];
  const why = "Recordings cannot be stored, played or deleted as they must be.";
  const both = `${setting(idName)} ${setting(secretName)}`;
  switch (code) {
    case "store_key_unknown":
      return wrong(
        `The storage does not know the key in ${idName}: it was deleted, it has expired, or it is of another account or the master key.`,
        why,
        both,
      );
    case "store_signature_refused": {
      // A signature is made for a region: where the endpoint does not tell it, either may be what is wrong. The other keys are
      // tried when the first one was found right, and with it the region.
      const { endpoint, region: given } = bucketSettings(deps.environment, "storage");
      const isRegionOpen = use === "storage" && given !== undefined && regionOf(endpoint) === undefined;
      return wrong(
        `The storage knows the key, but refuses its signature: ${secretName} is not the applicationKey that was shown with this keyID${isRegionOpen ? `, or BACKBLAZE_B2_REGION (${given}) is not the storage's region` : ""}.`,
        why,
        `${isRegionOpen ? `First the region, which costs nothing to compare: ${setting("BACKBLAZE_B2_REGION")} ` : ""}The secret is shown once: make a new key (${KEY_PAGE}). ${both}`,
      );
    }
    case "store_access_denied":
      return wrong(
        `The key in ${idName} may not ${step === "upload" ? "begin uploads" : step} in this bucket: it lacks ${capabilities[step]}, or is limited to another bucket or file name prefix.`,
        why,
        `Make a key for this bucket with ${wantedCapabilities(own)} (${KEY_PAGE}; no file name prefix, or ${RECORDINGS_PREFIX}). ${both} If the key is right, the bucket's name is not: ${setting("BACKBLAZE_B2_BUCKET_NAME")}`,
      );
    case "bucket_missing":
      return wrong(
        "There is no bucket of this name at this endpoint.",
        why,
        `${setting("BACKBLAZE_B2_BUCKET_NAME")} ${setting("BACKBLAZE_B2_ENDPOINT")}`,
      );
    case "store_daily_cap_exceeded":
    case "store_full":
      return wrong(
        message,
        "Until then nothing can be stored or played.",
        "Raise it: Backblaze, Account, Caps & Alerts.",
      );
    case "store_redirected":
      return wrong(message, why, setting("BACKBLAZE_B2_ENDPOINT"));
    default:
      return unknown(`${message} ${detail ?? ""}`.trim());
  }
}

const wantedCapabilities = (use: Use): string =>
  ({
    storage: "listFiles, readFiles, writeFiles and deleteFiles",
    ingest: "writeFiles only",
    playback: "readFiles only",
  })[use];

const ingest: Check = {
  id: "storage.ingest",
  title: "The key that Agora is given can write",
  needs: ["storage.objects"],
  async run(deps) {
    if (keyNames.ingest.every((name) => settingOf(deps, name) === undefined)) {
      return fine("it is the storage key: a key of its own (BACKBLAZE_B2_INGEST_…) could write only");
    }
    const key = `${PROBES}${deps.newId()}.txt`;
    try {
      const written = await clientFor("ingest", deps).put(key, PROBE_TEXT, { contentType: "text/plain" });
      const mayRead = await succeeds(() => clientFor("ingest", deps).getText(key, 1_000));
      await removeProbe(clientFor("storage", deps), key, written.versionId);
      return mayRead ? fine("it may read as well, which Agora has no use for") : fine("and do nothing else");
    } catch (thrown) {
      return refusalFinding(thrown, "write", "ingest", deps);
    }
  },
};

const staging: Check = {
  id: "storage.staging",
  title: "In staged mode Agora can write into the staging store, and we can list, read and delete there",
  needs: ["environment.staging"],
  async run(deps) {
    const settings = stagingSettings(deps.environment, "storage");
    if (settings === undefined) return fine("not wanted: Agora writes into the bucket itself");
    const key = `${PROBES}${deps.newId()}.txt`;
    const place = `Compare STAGING_S3_ENDPOINT, STAGING_S3_REGION, STAGING_S3_BUCKET_NAME and the keys with the console of that store, whose keys must be for this bucket.`;
    const why = "Recordings stay where the engine left them: nothing is copied, played or deleted.";
    let step = "written by the engine's key";
    try {
      const written = await createB2Client(ingestSettings(deps.environment), deps, DOCTOR_POLICY).put(
        key,
        PROBE_TEXT,
        {
          contentType: "text/plain",
        },
      );
      const client = createB2Client(settings, deps, DOCTOR_POLICY);
      step = "read";
      await client.getText(key, 1_000);
      step = "deleted";
      await removeProbe(client, key, written.versionId);
      return fine();
    } catch (thrown) {
      if (!(thrown instanceof RecorderFailure)) throw thrown;
      return wrong(`The staging store's object could not be ${step}: ${thrown.error.message}`, why, place);
    }
  },
};

async function succeeds(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (thrown) {
    if (thrown instanceof RecorderFailure && thrown.error.code === "store_access_denied") return false;
    throw thrown;
  }
}

async function removeProbe(client: B2Client, key: string, versionId: string | undefined): Promise<void> {
  if (versionId !== undefined) return await client.deleteVersion(key, versionId);
  for await (const { versions } of client.listVersions(key)) await client.deleteVersions(versions);
}

/** Runs `act` with an object in the bucket, which is gone afterwards. */
async function withProbe<T>(deps: DoctorDeps, act: (key: string) => Promise<T>): Promise<T> {
  const client = clientFor("storage", deps);
  const key = `${PROBES}${deps.newId()}.txt`;
  const { versionId } = await client.put(key, PROBE_TEXT, { contentType: "text/plain" });
  try {
    return await act(key);
  } finally {
    await removeProbe(client, key, versionId);
  }
}

const playback: Check = {
  id: "storage.playback",
  title: "The key that signs viewers' addresses opens an object",
  needs: ["storage.objects"],
  run: (deps) =>
    withProbe(deps, async (key) => {
      const response = await fetchSigned(deps, key, {});
      if (response.status === 200) return fine();
      return refusalFinding(await refusalOf(deps, key), "read", "playback", deps);
    }),
};

/** The same read through the client, whose errors have names. */
async function refusalOf(deps: DoctorDeps, key: string): Promise<unknown> {
  try {
    await clientFor("playback", deps).getText(key, 1_000);
    return new Error("an address that was signed is refused, the same read by header is not");
  } catch (thrown) {
    return thrown;
  }
}

async function fetchSigned(
  deps: DoctorDeps,
  key: string,
  headers: Record<string, string>,
): Promise<Response> {
  const url = createPresigner(bucketSettings(deps.environment, "playback")).presignGet(key, {
    expiresInSeconds: 60,
    signedAt: new Date(deps.now()),
  });
  const response = await deps.fetch(url, {
    headers,
    redirect: "manual",
    signal: AbortSignal.timeout(10_000),
  });
  await response.body?.cancel();
  return response;
}

const isPrivate: Check = {
  id: "storage.private",
  title: "The bucket is private: nobody reads an object without a signature",
  needs: ["storage.objects"],
  run: (deps) =>
    withProbe(deps, async (key) => {
      const { endpoint, bucket } = parseStoreSettings(bucketSettings(deps.environment, "storage"));
      const response = await deps.fetch(`${endpoint}/${bucket}/${key}`, {
        redirect: "manual",
        signal: AbortSignal.timeout(10_000),
      });
      await response.body?.cancel();
      if (response.status === 401 || response.status === 403) return fine();
      if (!response.ok) return unknown(`A request without a signature was answered ${response.status}.`);
      return wrong(
        "The bucket is public: an object was read without any signature.",
        "Everybody who guesses or learns an address sees the recording, for ever; people of a mentorship are no longer the only ones.",
        "Make it private: Backblaze, Buckets, the bucket, Bucket Settings, Files in Bucket are: Private.",
      );
    }),
};

const cors: Check = {
  id: "storage.cors",
  title: "The bucket lets the portal's player read (CORS)",
  needs: ["storage.objects", "environment.portal"],
  run: (deps) =>
    withProbe(deps, async (key) => {
      const origin = portalOrigin(deps);
      const { endpoint, bucket } = parseStoreSettings(bucketSettings(deps.environment, "storage"));
      const asked = await deps.fetch(`${endpoint}/${bucket}/${key}`, {
        method: "OPTIONS",
        headers: {
          Origin: origin,
          "Access-Control-Request-Method": "GET",
          "Access-Control-Request-Headers": "range",
        },
        signal: AbortSignal.timeout(10_000),
      });
      await asked.body?.cancel();
      const given = await fetchSigned(deps, key, { Origin: origin, Range: "bytes=0-0" });
      const exposed = (given.headers.get("access-control-expose-headers") ?? "").toLowerCase();
      const allows = [asked, given].every(({ headers }) =>
        ["*", origin].includes(headers.get("access-control-allow-origin") ?? ""),
      );
      if (asked.ok && allows && ["content-range", "content-length"].every((name) => exposed.includes(name))) {
        return fine();
      }
      return wrong(
        `The bucket has no rule that lets pages of ${origin} read parts of objects.`,
        "The player in a browser gets nothing, although the same address opens elsewhere.",
        adminTodo(
          deps,
          `let it be set by npm run doctor -- --fix`,
          `Backblaze, Buckets, the bucket, CORS Rules: origin ${origin}, GET and HEAD for the S3 API, header range, exposing Content-Range and Content-Length`,
        ),
      );
    }),
  async fix(deps) {
    const origin = portalOrigin(deps);
    await adminRules(deps).allowReading(origin);
    return `a CORS rule for GET and HEAD from ${origin}`;
  },
};

const portalOrigin = (deps: DoctorDeps): string => new URL(settingOf(deps, "PORTAL_URL") ?? "").origin;

/** What to do where a key that may change the bucket is set, and where none is. */
function adminTodo(deps: DoctorDeps, withKey: string, byHand: string): string {
  const hasKey = settingOf(deps, "BACKBLAZE_B2_ADMIN_ACCESS_KEY_ID") !== undefined;
  const fix = `${withKey.charAt(0).toUpperCase()}${withKey.slice(1)}.`;
  return hasKey
    ? fix
    : `${setting("BACKBLAZE_B2_ADMIN_ACCESS_KEY_ID")} ${setting("BACKBLAZE_B2_ADMIN_SECRET_ACCESS_KEY")} Then ${withKey}. Or by hand: ${byHand}.`;
}

/** The bucket's rules with the key that may change them. Throws where none is set. */
function adminRules(deps: DoctorDeps): BucketRules {
  const keyId = settingOf(deps, "BACKBLAZE_B2_ADMIN_ACCESS_KEY_ID");
  const applicationKey = settingOf(deps, "BACKBLAZE_B2_ADMIN_SECRET_ACCESS_KEY");
  if (keyId === undefined || applicationKey === undefined) {
    throw new Error(
      "the runtime keys may not change a bucket, and BACKBLAZE_B2_ADMIN_ACCESS_KEY_ID is not set",
    );
  }
  return bucketRules({ ...bucketSettings(deps.environment, "storage"), keyId, applicationKey }, deps);
}

const lifecycle: Check = {
  id: "storage.lifecycle",
  title: "The bucket deletes unfinished uploads and old versions by itself",
  needs: ["storage.objects"],
  async run(deps) {
    const hasAdmin = settingOf(deps, "BACKBLAZE_B2_ADMIN_ACCESS_KEY_ID") !== undefined;
    const rules = hasAdmin
      ? adminRules(deps)
      : bucketRules(bucketSettings(deps.environment, "storage"), deps);
    const present = await rules.lifecycle().catch((thrown: unknown) => {
      if (asRecorderError(thrown).code === "store_access_denied") return undefined;
      throw thrown;
    });
    if (present === undefined) {
      const todo = `Set BACKBLAZE_B2_ADMIN_ACCESS_KEY_ID and its secret to let the doctor look, or see Backblaze, Buckets, the bucket, Lifecycle Settings`;
      return unknown(
        hasAdmin
          ? `The key in BACKBLAZE_B2_ADMIN_ACCESS_KEY_ID lacks readBuckets or is of another bucket (${KEY_PAGE}).`
          : `The runtime key may not read the bucket's rules, as it should be. ${todo}.`,
      );
    }
    const cost =
      "every bucket of B2 keeps all versions, and what was deleted or replaced is billed until a rule removes it";
    if (present.hasExpiration) {
      return wrong(
        "A lifecycle rule hides objects by their age.",
        "It knows neither holds nor who keeps a recording longer: recordings vanish, and nothing proves when.",
        `Let it be replaced by npm run doctor -- --fix, or take the rule out: Backblaze, Buckets, the bucket, Lifecycle Settings.`,
      );
    }
    if (present.abortDays !== undefined && present.noncurrentDays !== undefined) {
      return fine(
        `old versions after ${present.noncurrentDays} d, unfinished uploads after ${present.abortDays} d; ${cost}`,
      );
    }
    const absent = [
      ...(present.noncurrentDays === undefined ? ["old versions"] : []),
      ...(present.abortDays === undefined ? ["unfinished uploads"] : []),
    ];
    return wrong(
      `No lifecycle rule removes ${absent.join(" and ")}.`,
      `${cost.charAt(0).toUpperCase()}${cost.slice(1)}; unfinished uploads likewise, and no listing of objects shows them.`,
      adminTodo(
        deps,
        "let it be set by npm run doctor -- --fix",
        "Backblaze, Buckets, the bucket, Lifecycle Settings: keep only the last version of the file",
      ),
    );
  },
  async fix(deps) {
    await adminRules(deps).keepOnlyWhatCounts();
    return "a lifecycle rule: old versions go after 1 day, unfinished uploads after 2";
  },
};

const clock: Check = {
  id: "storage.clock",
  title: "This machine's clock agrees with the storage's",
  needs: ["storage.reachable"],
  run: (deps) =>
    compareClock(
      "the storage",
      parseStoreSettings(regionGiven(bucketSettings(deps.environment, "storage"))).endpoint,
      deps,
    ),
};

export const storageChecks: readonly Check[] = [
  reachable,
  region,
  objects,
  ingest,
  staging,
  playback,
  isPrivate,
  cors,
  lifecycle,
  clock,
];
