import type { openTransport as OpenTransport } from "../../../web/src/calls/open-transport.ts";
import type { CallCredentials, CallTransport, MediaKind } from "../../../web/src/calls/transport.ts";
import { type ClockOrder, clockCamera, clockMedia, drawnAt } from "./clock-media.ts";

/** What a test or a demonstration does on a page, by `page.evaluate`. */
export interface CallPage {
  /** Joins and, with a clock, publishes it as camera and microphone. */
  join(credentials: CallCredentials, name: string, clock?: ClockOrder): Promise<void>;
  mute(kind: MediaKind, muted: boolean): Promise<void>;
  /** Shares a screen that shows the clock. */
  shareScreen(clock: ClockOrder): Promise<void>;
  unpublish(kind: MediaKind): Promise<void>;
  leave(): Promise<void>;
  state(): CallTransport["state"];
  peers(): CallTransport["peers"];
  levels(): Promise<[number, number][]>;
  /** Size and number of pictures that arrived from a peer. */
  picturesOf(uid: number, kind: MediaKind): { width: number; height: number; frames: number };
  events(): string[];
  /** When its clocks were drawn, UTC ms. */
  drawnAt(): number[];
}

declare global {
  interface Window {
    call: CallPage;
    isReady: boolean;
  }
}

// On the page the client's modules lie under another path than in the project.
const path = "/web/calls/open-transport.ts";
const { openTransport }: { openTransport: typeof OpenTransport } = await import(path);
const transport = openTransport({ transport: "local" });
const videos = new Map<string, HTMLVideoElement>();
const told: string[] = [];

for (const name of ["connection", "peer_joined", "peer_left", "track", "track_ended", "muted"] as const) {
  transport.on(name, (event) => {
    const words: (string | number)[] = [name, "state" in event ? event.state : event.peer.uid];
    if ("kind" in event) words.push(event.kind);
    if ("muted" in event) words.push(String(event.muted));
    if ("trouble" in event && event.trouble) words.push(event.trouble.code);
    told.push(words.join(" "));
  });
}
transport.on("track", ({ peer, kind, track }) => {
  const name = `${peer.uid} ${kind}`;
  videos.get(name)?.remove();
  const video = document.createElement("video");
  video.muted = true;
  video.srcObject = new MediaStream([track]);
  document.body.append(video);
  videos.set(name, video);
  video.play().catch(() => undefined);
});

window.call = {
  async join(credentials, name, clock) {
    if (clock) {
      const { camera, microphone } = await clockMedia(clock);
      await transport.publish("camera", camera);
      await transport.publish("microphone", microphone);
    }
    await transport.join(credentials, { name });
  },
  mute: (kind, muted) => transport.mute(kind, muted),
  async shareScreen(clock) {
    await transport.publish("screen", clockCamera(clock));
  },
  unpublish: (kind) => transport.unpublish(kind),
  leave: () => transport.leave(),
  state: () => transport.state,
  peers: () => transport.peers,
  levels: async () => [...(await transport.levels())],
  picturesOf(uid, kind) {
    const video = videos.get(`${uid} ${kind}`);
    return {
      width: video?.videoWidth ?? 0,
      height: video?.videoHeight ?? 0,
      frames: video?.getVideoPlaybackQuality().totalVideoFrames ?? 0,
    };
  },
  events: () => told,
  drawnAt: () => drawnAt,
};
