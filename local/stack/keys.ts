import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { PlainFailure } from "./sentence.ts";

const hex32 = z.string().regex(/^[0-9a-f]{32}$/, "expected 32 hexadecimal digits");
const secret = z.string().min(16, "expected at least 16 characters");

/** An application key of the local object store; `keyId` and `applicationKey` have the lengths Backblaze gives them. */
const storeKey = z.strictObject({ keyId: z.string().min(12), applicationKey: z.string().min(20) });

/** Everything secret of one local stack. Made once, at the first start; a later start reads the same values. */
export const keysSchema = z.strictObject({
  jwtSecret: z.string().min(32, "expected at least 32 characters"),
  publishableKey: z.string().regex(/^sb_publishable_[A-Za-z0-9_-]{20,}$/, "expected sb_publishable_…"),
  secretKey: z.string().regex(/^sb_secret_[A-Za-z0-9_-]{20,}$/, "expected sb_secret_…"),
  database: z.strictObject({ superuser: secret, postgres: secret, authenticator: secret }),
  wakeUpSecret: z.string().regex(/^whsec_[A-Za-z0-9+/]{43}=$/, "expected whsec_ and 32 bytes in base64"),
  playbackTokenSecret: secret,
  controlToken: secret,
  agora: z.strictObject({
    appId: hex32,
    appCertificate: hex32,
    customerId: hex32,
    customerSecret: hex32,
    webhookSecret: secret,
  }),
  b2: z.strictObject({ ingest: storeKey, storage: storeKey, playback: storeKey }),
});

export type Keys = z.infer<typeof keysSchema>;
export type StoreKey = z.infer<typeof storeKey>;

/** New keys from the operating system's random source; no two calls give the same. */
export function generateKeys(): Keys {
  const hex = (bytes: number) => randomBytes(bytes).toString("hex");
  const text = (bytes: number) => randomBytes(bytes).toString("base64url");
  // Key ids of Backblaze: 25 hexadecimal digits beginning with 00; application keys: 31 characters beginning with K.
  const newStoreKey = () => ({
    keyId: `00${hex(12).slice(0, 23)}`,
    applicationKey: `K005${randomBytes(21).toString("base64").replaceAll("+", "a").replaceAll("/", "b").slice(0, 27)}`,
  });
  return {
    jwtSecret: text(48),
    publishableKey: `sb_publishable_${text(24)}`,
    secretKey: `sb_secret_${text(24)}`,
    // Passwords stand inside postgres:// URLs: letters and digits only.
    database: { superuser: hex(16), postgres: hex(16), authenticator: hex(16) },
    wakeUpSecret: `whsec_${randomBytes(32).toString("base64")}`,
    playbackTokenSecret: text(32),
    controlToken: text(24),
    agora: {
      appId: hex(16),
      appCertificate: hex(16),
      customerId: hex(16),
      customerSecret: hex(16),
      webhookSecret: text(12),
    },
    b2: { ingest: newStoreKey(), storage: newStoreKey(), playback: newStoreKey() },
  };
}

/** The keys file of a data folder. */
export const keysFileOf = (dataDir: string): string => join(dataDir, "keys.json");

/**
 * Reads the keys of a data folder, or makes them when there are none yet (mode 0600).
 *
 * @throws PlainFailure when the file is there and cannot be used. It is never replaced silently: the database behind
 *   it was made with its passwords.
 */
export async function loadOrCreateKeys(dataDir: string): Promise<{ keys: Keys; created: boolean }> {
  const file = keysFileOf(dataDir);
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new PlainFailure(`${file} cannot be read: ${error.message}.`);
  });
  if (text === undefined) {
    const keys = generateKeys();
    await writeFile(file, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600, flag: "wx" });
    return { keys, created: true };
  }
  return { keys: parseKeys(file, text), created: false };
}

function parseKeys(file: string, text: string): Keys {
  const mend = "mend it, or begin anew with --reset";
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new PlainFailure(`${file} is not valid JSON: ${mend}.`);
  }
  const parsed = keysSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  // Only names and expectations, never the values: this sentence ends on a screen.
  const wrong = parsed.error.issues.map(
    (issue) => `${issue.path.join(".") || "the whole"} (${issue.message})`,
  );
  throw new PlainFailure(`${file} is broken: ${wrong.join(", ")}; ${mend}.`);
}
