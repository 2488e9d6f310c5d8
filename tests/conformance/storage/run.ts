import { parseArgs } from "node:util";
import { AwsClient } from "aws4fetch";
import { asRecorderError, RecorderFailure } from "../../../supabase/functions/_shared/errors.ts";
import type { Case, Holds } from "./case.ts";
import { CASES } from "./cases.ts";
import { openTarget, type Target } from "./target.ts";

const help = `Tries a storage against everything this project relies on, below one prefix that is emptied afterwards.

  npm run test:storage -- --endpoint URL --region NAME --bucket NAME [options]

  --bucket-settings   also try CORS and lifecycle rules; what the bucket had is put back
  --prepare           create the bucket and switch its versions on first (not needed at B2)
  --only TEXT         only cases whose name contains this
  --help              this text

The key comes from BACKBLAZE_B2_ACCESS_KEY_ID and BACKBLAZE_B2_SECRET_ACCESS_KEY. It needs listFiles, readFiles, writeFiles
and deleteFiles, with --bucket-settings readBuckets and writeBuckets too. About 40 MB go up and 35 MB come down.

A case marked [b2] holds for B2 by its documentation; [assumed] is nowhere documented for B2. Where one of these differs it is
told but is no failure, except [b2] at an address of Backblaze.`;

const MEANING: Record<Holds, string> = { s3: "", b2: "[b2] ", assumed: "[assumed] " };

process.exit(await main());

async function main(): Promise<number> {
  const options = readOptions();
  if (typeof options === "string") {
    console.error(options);
    return 1;
  }
  if (options.help) {
    console.log(help);
    return 0;
  }
  const target = opened(options);
  if (typeof target === "string") {
    console.error(target);
    return 1;
  }
  if (options.prepare) await prepare(target);
  const isB2 = new URL(target.settings.endpoint).hostname.endsWith(".backblazeb2.com");
  const counts = { passed: 0, failed: 0, differs: 0, left: 0 };
  for (const one of CASES.filter(({ name }) => name.includes(options.only))) {
    if (one.configures === true && !options["bucket-settings"]) {
      counts.left += 1;
      console.log(`left out  ${one.name} (--bucket-settings)`);
      continue;
    }
    const difference = await tried(one, target);
    const isBinding = one.holds === "s3" || (one.holds === "b2" && isB2);
    const outcome = difference === undefined ? "passed" : isBinding ? "failed" : "differs";
    counts[outcome] += 1;
    console.log(`${outcome.padEnd(8)}  ${MEANING[one.holds]}${one.name}`);
    if (difference !== undefined) console.log(`          ${difference}`);
  }
  await target.clean();
  console.log(
    `\n${counts.passed} passed, ${counts.failed} failed, ${counts.differs} differ where they may, ${counts.left} left out`,
  );
  return counts.failed === 0 ? 0 : 1;
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        endpoint: { type: "string" },
        region: { type: "string" },
        bucket: { type: "string" },
        only: { type: "string", default: "" },
        "bucket-settings": { type: "boolean", default: false },
        prepare: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    return values;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function opened(options: {
  endpoint?: string | undefined;
  region?: string | undefined;
  bucket?: string | undefined;
}): Target | string {
  const { endpoint, region, bucket } = options;
  if (endpoint === undefined || bucket === undefined) return "--endpoint and --bucket are needed; see --help";
  try {
    return openTarget({
      endpoint,
      bucket,
      ...(region === undefined ? {} : { region }),
      keyId: process.env.BACKBLAZE_B2_ACCESS_KEY_ID ?? "",
      applicationKey: process.env.BACKBLAZE_B2_SECRET_ACCESS_KEY ?? "",
    });
  } catch (error) {
    const { message, detail } = asRecorderError(error);
    const keys = "The key is read from BACKBLAZE_B2_ACCESS_KEY_ID and BACKBLAZE_B2_SECRET_ACCESS_KEY.";
    return [message, detail, keys].filter(Boolean).join(" ");
  }
}

/** Undefined where the store does as the case says, else what differs, in one line. */
async function tried(one: Case, target: Target): Promise<string | undefined> {
  try {
    await one.run(target);
    return undefined;
  } catch (error) {
    if (error instanceof RecorderFailure)
      return `${error.error.code}: ${error.error.detail ?? error.error.message}`;
    const text = error instanceof Error ? error.message : String(error);
    return text.replaceAll(/\s+/g, " ").slice(0, 300);
  }
}

async function prepare({ settings }: Target): Promise<void> {
  const { endpoint, bucket, keyId, applicationKey, region } = settings;
  const client = new AwsClient({
    accessKeyId: keyId,
    secretAccessKey: applicationKey,
    region,
    service: "s3",
  });
  await client.fetch(`${endpoint}/${bucket}`, { method: "PUT" });
  const body = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
  const answer = await client.fetch(`${endpoint}/${bucket}?versioning`, { method: "PUT", body });
  if (!answer.ok) throw new Error(`versions cannot be switched on: HTTP ${answer.status}`);
}
