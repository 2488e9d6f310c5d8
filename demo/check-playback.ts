import {
  ALL_FORMATS,
  BufferSource,
  HLS_FORMATS,
  Input,
  type InputFormat,
  type Source,
  UrlSource,
} from "mediabunny";
import { z } from "zod";

/** What a player would find at one address. */
export interface ProbedMedia {
  kind: "playlist" | "MP4";
  durationMs: number;
  /** Like "video avc". */
  tracks: string[];
  sizeBytes: number;
}

export interface PlaybackCheck {
  hls: ProbedMedia;
  mp4: ProbedMedia;
  download: { fileName: string; sizeBytes: number };
  /** A playlist address that is one character off is refused. */
  forgedTokenStatus: number;
}

const addresses = z.object({
  hls: z.object({ url: z.url() }),
  mp4: z.array(z.object({ url: z.url(), size_bytes: z.number() })).min(1),
  download: z.object({ url: z.url(), file_name: z.string() }),
});

export interface PlaybackOrder {
  url: string;
  publishableKey: string;
  accessToken: string;
  recordingId: string;
}

/** Asks for the playback addresses as the portal does. */
export async function askForAddresses(order: PlaybackOrder): Promise<z.output<typeof addresses>> {
  const answer = await fetch(`${order.url}/functions/v1/play-recording`, {
    method: "POST",
    headers: {
      apikey: order.publishableKey,
      authorization: `Bearer ${order.accessToken}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ recording_id: order.recordingId }),
  });
  if (!answer.ok) throw new Error(`playback was refused: HTTP ${answer.status} ${await answer.text()}`);
  return addresses.parse(await answer.json());
}

/** Asks for the playback addresses, fetches everything they lead to, and probes it. */
export async function checkPlayback(order: PlaybackOrder): Promise<PlaybackCheck> {
  const { hls, mp4, download } = await askForAddresses(order);
  const [playlist, file, attachment, forgedTokenStatus] = await Promise.all([
    probePlaylist(hls.url),
    probeFile(mp4[0]?.url ?? ""),
    fetchAll(download.url),
    statusOfForged(hls.url),
  ]);
  if (forgedTokenStatus !== 403)
    throw new Error(`a forged playlist address was answered with ${forgedTokenStatus}`);
  const disposition = attachment.headers.get("content-disposition") ?? "";
  if (!disposition.includes(download.file_name))
    throw new Error(`the download is named ${disposition || "nothing"}`);
  return {
    hls: playlist,
    mp4: file,
    download: { fileName: download.file_name, sizeBytes: attachment.bytes.byteLength },
    forgedTokenStatus,
  };
}

export async function fetchAll(url: string): Promise<{ bytes: Uint8Array; headers: Headers }> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${new URL(url).pathname} was answered with ${answer.status}`);
  return { bytes: new Uint8Array(await answer.arrayBuffer()), headers: answer.headers };
}

async function probe(
  source: Source,
  formats: InputFormat[],
): Promise<{ durationMs: number; tracks: string[] }> {
  using input = new Input({ source, formats });
  const tracks = await input.getTracks();
  return {
    durationMs: Math.round((await input.computeDuration()) * 1000),
    tracks: tracks.map((track) => `${track.type} ${track.codec}`),
  };
}

async function probeFile(url: string): Promise<ProbedMedia> {
  const { bytes } = await fetchAll(url);
  return { kind: "MP4", ...(await probe(new BufferSource(bytes), ALL_FORMATS)), sizeBytes: bytes.byteLength };
}

async function probePlaylist(url: string): Promise<ProbedMedia> {
  const text = new TextDecoder().decode((await fetchAll(url)).bytes);
  const slices = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  let sizeBytes = 0;
  for (const slice of slices) sizeBytes += (await fetchAll(slice)).bytes.byteLength;
  return { kind: "playlist", ...(await probe(new UrlSource(url), HLS_FORMATS)), sizeBytes };
}

async function statusOfForged(url: string): Promise<number> {
  const last = url.at(-1) === "A" ? "B" : "A";
  const answer = await fetch(url.slice(0, -1) + last);
  await answer.body?.cancel();
  return answer.status;
}
