/**
 * The bytes of a request's body; undefined when it has more than `longestBytes`. No more than that (and one chunk) is
 * ever held, whatever the sender declares: a body may come without a content-length, or with a false one.
 */
export async function readLimitedBody(
  request: Request,
  longestBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (Number(request.headers.get("content-length") ?? 0) > longestBytes) {
    await request.body?.cancel();
    return undefined;
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop early cancels the stream, so that the rest is not taken in.
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength;
    if (length > longestBytes) return undefined;
    chunks.push(chunk);
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.byteLength;
  }
  return body;
}
