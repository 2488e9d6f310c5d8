import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { queries } from "../../backend/client.ts";
import { asBackendError, type BackendError, unreadable } from "../../backend/errors.ts";
import { openPlayback } from "../../backend/playback.ts";
import { type PlaybackAddresses, playbackAddresses } from "../../backend/playback-addresses.ts";

const key = (recordingId: string) => ["playback", recordingId] as const;

/** Asks for the addresses of a recording. Throws BackendError: recording_not_found, sign_in_required … */
async function fetchAddresses(recordingId: string): Promise<PlaybackAddresses> {
  const read = playbackAddresses.safeParse(await openPlayback(recordingId));
  if (!read.success) throw unreadable("The addresses of the recording", read.error);
  return read.data;
}

/** Asked for before they are needed: somebody points at a recording. Failing costs nothing: they are asked for again. */
export function prefetchPlayback(recordingId: string): void {
  void queries.prefetchQuery({
    queryKey: key(recordingId),
    queryFn: () => fetchAddresses(recordingId),
    staleTime: 60_000,
  });
}

/** The addresses to play a recording from, and the way to newer ones. */
export function usePlayback(recordingId: string): {
  addresses: PlaybackAddresses | undefined;
  error: BackendError | undefined;
  refetch: () => void;
  open: () => Promise<PlaybackAddresses>;
} {
  const query = useQuery({
    queryKey: key(recordingId),
    queryFn: () => fetchAddresses(recordingId),
    // They carry where this person stopped, which another visit changes: asked for at every visit, and never twice within it.
    staleTime: 60_000,
    gcTime: 60_000,
  });
  const open = useCallback(() => fetchAddresses(recordingId), [recordingId]);
  return {
    addresses: query.data,
    error: query.data === undefined && query.error !== null ? asBackendError(query.error) : undefined,
    refetch: () => void query.refetch(),
    open,
  };
}
