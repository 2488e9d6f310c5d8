import { useCallback, useEffect, useRef, useState } from "react";
import type { PlaybackAddresses } from "../../backend/playback-addresses.ts";
import { giveToBrowser, openSink } from "./file-sink.ts";
import { SaveFailure, type SaveProgress, saveStream } from "./save-stream.ts";

export type DownloadState =
  | { kind: "idle" }
  | { kind: "saving"; progress: SaveProgress }
  /** Nobody made a file of it: it is put together here. 0 to 1. */
  | { kind: "assembling"; share: number }
  | { kind: "saved" }
  | { kind: "failed"; reason: SaveFailure["reason"] | "not_assembled" };

/** One download at a time. `open` asks for addresses that hold; `onSaved` is for statistics. */
export function useDownload(open: () => Promise<PlaybackAddresses>, onSaved: () => void) {
  const [state, setState] = useState<DownloadState>({ kind: "idle" });
  const cancelling = useRef<AbortController>(undefined);
  useEffect(() => () => cancelling.current?.abort(), []);

  const run = useCallback(
    async (work: (signal: AbortSignal) => Promise<void>) => {
      cancelling.current?.abort();
      const controller = new AbortController();
      cancelling.current = controller;
      try {
        await work(controller.signal);
        setState({ kind: "saved" });
        onSaved();
      } catch (thrown) {
        const isCancelled =
          controller.signal.aborted || (thrown instanceof Error && thrown.name === "AbortError");
        if (isCancelled) setState({ kind: "idle" });
        else
          setState({
            kind: "failed",
            reason: thrown instanceof SaveFailure ? thrown.reason : "not_assembled",
          });
      }
    },
    [onSaved],
  );

  /** Saves one of the MP4s, by its place in the list. */
  const save = (given: PlaybackAddresses, index: number) =>
    run(async (signal) => {
      const file = given.mp4[index];
      if (file === undefined) throw new SaveFailure("store_refused");
      setState({ kind: "saving", progress: { bytes: 0, totalBytes: file.size_bytes } });
      const attempt = async (url: string) =>
        saveStream(url, await openSink(file.file_name, file.size_bytes), {
          fetch: (input, init) => fetch(input, init),
          signal,
          expectedBytes: file.size_bytes,
          onProgress: (progress) => setState({ kind: "saving", progress }),
        });
      try {
        await attempt(file.download_url);
      } catch (thrown) {
        if (!(thrown instanceof SaveFailure) || thrown.reason !== "address_expired") throw thrown;
        // The page was open for longer than its addresses live.
        const fresh = (await open()).mp4[index];
        if (fresh === undefined) throw thrown;
        await attempt(fresh.download_url);
      }
    });

  /** Puts a file together from the playlist, where there is no MP4. */
  const assemble = (fileName: string) =>
    run(async (signal) => {
      setState({ kind: "assembling", share: 0 });
      // Fresh: its slices are fetched for as long as it takes.
      const [{ assembleMp4 }, { hls }] = await Promise.all([import("./assemble.ts"), open()]);
      if (hls === null) throw new SaveFailure("store_refused");
      const file = await assembleMp4(hls.url, {
        signal,
        onProgress: (share) => setState({ kind: "assembling", share }),
      });
      giveToBrowser(file, fileName);
    });

  return { state, save, assemble, cancel: () => cancelling.current?.abort() };
}
