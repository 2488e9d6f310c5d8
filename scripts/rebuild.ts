/** Makes the rows of recordings again from the manifests of the bucket. Run by `npm run rebuild`; see docs/operations.md. */
import { parseArgs } from "node:util";
import postgres from "postgres";
import { createB2Client } from "../supabase/functions/_shared/b2/client.ts";
import { bucketSettings } from "../supabase/functions/_shared/config.ts";
import { asRecorderError } from "../supabase/functions/_shared/errors.ts";
import { type Rebuilt, rebuild } from "./rebuild/rebuild.ts";

const help = `Rebuilds recordings and recording_files from the manifests of the bucket.

  npm run rebuild                 tells what it would do and changes nothing
  npm run rebuild -- --apply      does it

Needs SUPABASE_DB_URL (the database, as postgres) and the BACKBLAZE_B2_* settings of the functions in the environment.
A row that exists is never written. Exit code 1 where something was refused or differs, 2 where it could not be done.`;

const { values } = parseArgs({
  options: { apply: { type: "boolean" }, help: { type: "boolean", short: "h" } },
});
if (values.help === true) {
  console.log(help);
} else {
  process.exitCode = await run(values.apply === true);
}

async function run(apply: boolean): Promise<number> {
  const url = process.env.SUPABASE_DB_URL;
  if (url === undefined || url === "") {
    console.error("SUPABASE_DB_URL is missing: the address of the database, as postgres.");
    return 2;
  }
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    const bucket = createB2Client(bucketSettings({ get: (name) => process.env[name] }, "storage"), {
      fetch,
      now: Date.now,
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      random: Math.random,
    });
    const counts = new Map<Rebuilt["outcome"], number>();
    for await (const { folder, outcome, words } of rebuild({ apply }, { bucket, sql })) {
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      if (outcome !== "agrees")
        console.log(`${sentenceOf(outcome, apply).padEnd(14)} ${folder}  ${words}`.trimEnd());
    }
    const sum = [...counts].map(([outcome, count]) => `${count} ${sentenceOf(outcome, apply)}`).join(", ");
    console.log(
      `${sum === "" ? "The bucket has no recordings" : sum}.${apply ? "" : " Nothing was changed: --apply does it."}`,
    );
    return (counts.get("refused") ?? 0) + (counts.get("differs") ?? 0) > 0 ? 1 : 0;
  } catch (thrown) {
    const { code, message, detail } = asRecorderError(thrown);
    console.error(code === "unexpected_error" ? (detail ?? message) : `${code}: ${message} ${detail ?? ""}`);
    return 2;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

function sentenceOf(outcome: Rebuilt["outcome"], apply: boolean): string {
  switch (outcome) {
    case "created":
      return apply ? "created" : "would create";
    case "agrees":
      return "there already";
    case "no_manifest":
      return "no manifest";
    default:
      return outcome;
  }
}
