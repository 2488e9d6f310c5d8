import { readFile } from "node:fs/promises";
import { parseEnv } from "node:util";
import { PlainFailure } from "./sentence.ts";

const agoraNames = [
  "AGORA_APP_ID",
  "AGORA_APP_CERTIFICATE",
  "AGORA_CUSTOMER_ID",
  "AGORA_CUSTOMER_SECRET",
  "AGORA_WEBHOOK_SECRET",
  "AGORA_API_URLS",
] as const;
const agoraRequired = agoraNames.slice(0, 4);

const storeRequired = [
  "BACKBLAZE_B2_ENDPOINT",
  "BACKBLAZE_B2_ACCESS_KEY_ID",
  "BACKBLAZE_B2_SECRET_ACCESS_KEY",
  "BACKBLAZE_B2_BUCKET_NAME",
] as const;
const storeOptional = [
  "BACKBLAZE_B2_REGION",
  "BACKBLAZE_B2_INGEST_ACCESS_KEY_ID",
  "BACKBLAZE_B2_INGEST_SECRET_ACCESS_KEY",
  "BACKBLAZE_B2_PLAYBACK_ACCESS_KEY_ID",
  "BACKBLAZE_B2_PLAYBACK_SECRET_ACCESS_KEY",
] as const;

const furtherNames = [
  "PLAYBACK_BASE_URL",
  "WAKE_UP_SECRET",
  "PLAYBACK_TOKEN_SECRET",
  "HEALTH_SECRET",
  "ALERT_WEBHOOK_URL",
  "CALL_TRANSPORT",
  "CALL_TRANSPORT_URL",
];
const furtherPrefixes = ["STAGING_S3_", "NOTIFY_WEBHOOK_"];

/** What the user's own `.env` says: the variables we know, and which of the real services they name completely. */
export interface UserEnvironment {
  /** Only names this project knows: nothing else in the file reaches a function. */
  variables: Record<string, string>;
  agora: "real" | "stand-in";
  store: "real" | "stand-in";
}

/** No `.env`: every service is a stand-in. */
export const emptyUserEnvironment: UserEnvironment = { variables: {}, agora: "stand-in", store: "stand-in" };

/**
 * Reads the user's `.env`. A file that is not there is the usual case and gives {@link emptyUserEnvironment}.
 *
 * @throws PlainFailure when the file cannot be read or names a service only in part.
 */
export async function readUserEnvironment(file: string): Promise<UserEnvironment> {
  try {
    return parseUserEnvironment(file, await readFile(file, "utf8"));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return emptyUserEnvironment;
    if (error instanceof PlainFailure) throw error;
    throw new PlainFailure(
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
}

/** The pure half of {@link readUserEnvironment}: `text` is the content of the file called `file`. */
export function parseUserEnvironment(file: string, text: string): UserEnvironment {
  const given = Object.entries(parseEnv(text)).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && entry[1].trim() !== "",
  );
  const all = new Map(given);
  const variables: Record<string, string> = {};
  const known = new Set<string>([...agoraNames, ...storeRequired, ...storeOptional, ...furtherNames]);
  for (const [name, value] of all) {
    if (known.has(name) || furtherPrefixes.some((prefix) => name.startsWith(prefix)))
      variables[name] = value.trim();
  }
  const publicAppId = all.get("NEXT_PUBLIC_AGORA_APP_ID");
  if (publicAppId !== undefined) variables.AGORA_APP_ID ??= publicAppId.trim();

  const agora = chosen(file, variables, "Agora", agoraRequired, agoraNames);
  const store = chosen(file, variables, "Backblaze B2", storeRequired, [...storeRequired, ...storeOptional]);
  if (store === "real") requireUrl(file, "BACKBLAZE_B2_ENDPOINT", variables.BACKBLAZE_B2_ENDPOINT);
  if (agora === "real" && store === "stand-in") {
    throw new PlainFailure(
      `${file} names the real Agora but no Backblaze B2: Agora's servers cannot write into a store on this machine, so set ${storeRequired.join(", ")} too, or start with --stand-ins.`,
    );
  }
  return { variables, agora, store };
}

/** A half-configured service is refused by name: falling back silently would record into the wrong place. */
function chosen(
  file: string,
  variables: Record<string, string>,
  service: string,
  required: readonly string[],
  names: readonly string[],
): "real" | "stand-in" {
  if (!names.some((name) => variables[name] !== undefined)) return "stand-in";
  const missing = required.filter((name) => variables[name] === undefined);
  if (missing.length === 0) return "real";
  throw new PlainFailure(
    `${file} names ${service} only in part: ${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} missing; complete it, remove the rest, or start with --stand-ins.`,
  );
}

function requireUrl(file: string, name: string, value: string | undefined): void {
  if (value !== undefined && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)) return;
  throw new PlainFailure(
    `${name} in ${file} is not an address: it begins with https://, as Backblaze shows it.`,
  );
}
