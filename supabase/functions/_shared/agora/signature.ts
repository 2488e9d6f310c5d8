/** The two headers Agora sends with every notification. */
export interface AgoraSignatureHeaders {
  /** `Agora-Signature`: HMAC-SHA1 in hex. */
  v1?: string | null;
  /** `Agora-Signature-V2`: HMAC-SHA256 in hex. */
  v2?: string | null;
}

/**
 * Whether a notification is Agora's: the signature is over the body's bytes as received, so verify before parsing, and
 * the key is the secret as the console shows it. Any of `secrets` may fit, for the time of a rotation. The signature
 * holds no time and no nonce: replays are for the reader to drop, by noticeId. `acceptSha1` admits the older header
 * where the newer one is absent; a wrong newer one is never outvoted by it.
 */
export async function verifyAgoraSignature(
  rawBody: Uint8Array,
  headers: AgoraSignatureHeaders,
  secrets: readonly string[],
  options: { acceptSha1?: boolean } = {},
): Promise<boolean> {
  if (headers.v2) return await anyFits("SHA-256", 32, rawBody, headers.v2, secrets);
  if (headers.v1 && options.acceptSha1 === true)
    return await anyFits("SHA-1", 20, rawBody, headers.v1, secrets);
  return false;
}

async function anyFits(
  hash: "SHA-1" | "SHA-256",
  byteLength: number,
  rawBody: Uint8Array,
  hex: string,
  secrets: readonly string[],
): Promise<boolean> {
  const signature = bytesOfHex(hex, byteLength);
  if (signature === undefined) return false;
  const body = Uint8Array.from(rawBody);
  let fits = false;
  // Every secret is tried, also after one has fitted, so that the time taken does not tell which one it was.
  for (const secret of secrets) {
    // An empty secret is a missing setting: anybody could sign with it.
    if (secret === "") continue;
    const hmac = { name: "HMAC", hash };
    const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(secret), hmac, false, [
      "verify",
    ]);
    // The platform's verify compares in constant time.
    if (await crypto.subtle.verify("HMAC", key, signature, body)) fits = true;
  }
  return fits;
}

function bytesOfHex(hex: string, byteLength: number): Uint8Array<ArrayBuffer> | undefined {
  if (hex.length !== byteLength * 2 || !/^[0-9a-fA-F]+$/.test(hex)) return undefined;
  return Uint8Array.from({ length: byteLength }, (_, index) =>
    Number.parseInt(hex.slice(index * 2, index * 2 + 2), 16),
  );
}
