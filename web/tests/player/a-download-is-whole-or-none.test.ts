import { describe, expect, it } from "vitest";
import {
  memorySink,
  SaveFailure,
  type SaveProgress,
  saveStream,
} from "../../src/pages/player/save-stream.ts";

const bytes = (...values: number[]) => new Uint8Array(values);

function answering(status: number, chunks: Uint8Array<ArrayBuffer>[], headers: Record<string, string> = {}) {
  const answer = async () =>
    new Response(status === 200 ? new Blob(chunks).stream() : "no", { status, headers });
  return answer as typeof fetch;
}

function watchedSink() {
  const sink = memorySink("video/mp4");
  const seen = { aborted: 0 };
  return {
    seen,
    sink: {
      ...sink,
      abort: () => {
        seen.aborted += 1;
        return sink.abort();
      },
    },
  };
}

const order = (fetchIt: typeof fetch, progress: SaveProgress[] = []) => ({
  fetch: fetchIt,
  signal: new AbortController().signal,
  onProgress: (each: SaveProgress) => progress.push(each),
});

describe("A download is whole or none", () => {
  it("gives every byte, and tells how far it is", async () => {
    const progress: SaveProgress[] = [];
    const saved = await saveStream("https://store/x", memorySink("video/mp4"), {
      ...order(answering(200, [bytes(1, 2, 3), bytes(4, 5)]), progress),
      expectedBytes: 5,
    });
    expect([...new Uint8Array(await saved.arrayBuffer())]).toEqual([1, 2, 3, 4, 5]);
    expect(saved.type).toBe("video/mp4");
    expect(progress[0]).toEqual({ bytes: 0, totalBytes: 5 });
    expect(progress.at(-1)).toEqual({ bytes: 5, totalBytes: 5 });
  });

  it("what came short is no file", async () => {
    const { sink, seen } = watchedSink();
    const saving = saveStream("https://store/x", sink, {
      ...order(answering(200, [bytes(1)])),
      expectedBytes: 2,
    });
    await expect(saving).rejects.toMatchObject({ reason: "broken_off" });
    expect(seen.aborted).toBe(1);
  });

  it.each([
    [403, "address_expired"],
    [401, "address_expired"],
    [503, "store_refused"],
    [404, "store_refused"],
  ])("an answer of %d is said to be %s", async (status, reason) => {
    const { sink, seen } = watchedSink();
    await expect(saveStream("https://store/x", sink, order(answering(status, [])))).rejects.toMatchObject({
      reason,
    });
    expect(seen.aborted).toBe(1);
  });

  it("a line that breaks is a failure, and a cancelled one is not", async () => {
    const broken = (async () => {
      throw new TypeError("network");
    }) as typeof fetch;
    await expect(saveStream("https://store/x", memorySink("a/b"), order(broken))).rejects.toBeInstanceOf(
      SaveFailure,
    );
    const cancel = new AbortController();
    cancel.abort();
    const cancelled = (async () => {
      cancel.signal.throwIfAborted();
      return new Response();
    }) as typeof fetch;
    await expect(
      saveStream("https://store/x", memorySink("a/b"), { ...order(cancelled), signal: cancel.signal }),
    ).rejects.toMatchObject({ name: "AbortError" });
  });
});
