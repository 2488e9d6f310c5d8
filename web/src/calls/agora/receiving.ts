import type { IRemoteAudioTrack, IRemoteVideoTrack } from "agora-rtc-sdk-ng";
import type { Emitter } from "../emitter.ts";
import type { CallEvents, MediaKind, Peer, PublicationState } from "../transport.ts";
import type { AgoraClient, AgoraMedia, RemoteUser } from "./sdk.ts";
import { codeOf } from "./troubles.ts";

interface Remote {
  peer: Peer;
  sound?: IRemoteAudioTrack;
  picture?: IRemoteVideoTrack;
}

const subscribeTries = 3;
/** The picture of a peer is its camera or its shared screen; Agora does not say which. */
const kindOf: Record<AgoraMedia, MediaKind> = { audio: "microphone", video: "camera" };

/** What comes from the others. Their sound is played here, as the SDK wants it; their pictures are shown by the page. */
export class Receiving {
  readonly #emitter: Emitter<CallEvents>;
  readonly #remotes = new Map<number, Remote>();
  #client: AgoraClient | undefined;

  constructor(emitter: Emitter<CallEvents>) {
    this.#emitter = emitter;
  }

  get peers(): readonly Peer[] {
    return [...this.#remotes.values()].map(({ peer }) => peer);
  }

  listen(client: AgoraClient): void {
    this.#client = client;
    client.on("user-joined", (user) => void this.#remote(user));
    client.on("user-left", (user) => this.#leave(Number(user.uid)));
    client.on("user-published", (user, media) => {
      if (media !== "datachannel") void this.#subscribe(client, user, media);
    });
    client.on("user-unpublished", (user, media) => {
      if (media !== "datachannel") this.#unpublished(Number(user.uid), media);
    });
    client.on("user-info-updated", (uid, message) => {
      // Told beside unpublished: the difference between silent and gone.
      if (message === "mute-audio") this.#set(Number(uid), "microphone", "muted");
      if (message === "mute-video") this.#set(Number(uid), "camera", "muted");
    });
  }

  stop(): void {
    this.#client = undefined;
    for (const { sound } of this.#remotes.values()) sound?.stop();
    for (const uid of [...this.#remotes.keys()]) this.#leave(uid);
  }

  playSound(): void {
    for (const { sound } of this.#remotes.values()) sound?.play();
  }

  levels(): Map<number, number> {
    const levels = new Map<number, number>();
    for (const [uid, { sound }] of this.#remotes) levels.set(uid, sound?.getVolumeLevel() ?? 0);
    return levels;
  }

  trackOf(uid: number, kind: MediaKind): MediaStreamTrack | undefined {
    const remote = this.#remotes.get(uid);
    if (!remote || remote.peer.publications[kind] === "off") return undefined;
    const track = kind === "microphone" ? remote.sound : kind === "camera" ? remote.picture : undefined;
    return track?.getMediaStreamTrack();
  }

  async #subscribe(client: AgoraClient, user: RemoteUser, media: AgoraMedia): Promise<void> {
    const remote = this.#remote(user);
    for (let tries = 1; this.#client === client; tries += 1) {
      try {
        const track = await client.subscribe(user, media);
        if (this.#client === client && this.#remotes.has(Number(user.uid))) this.#take(remote, media, track);
        return;
      } catch (error) {
        // Whoever stopped sending meanwhile has told so by an event; anything else may pass.
        const code = codeOf(error);
        const isGone = code === "REMOTE_USER_IS_NOT_PUBLISHED" || code === "INVALID_REMOTE_USER";
        if (isGone || this.#client !== client) return;
        if (tries >= subscribeTries) {
          reportError(error);
          return;
        }
      }
    }
  }

  #take(remote: Remote, media: AgoraMedia, track: IRemoteAudioTrack | IRemoteVideoTrack): void {
    const { peer } = remote;
    const kind = kindOf[media];
    if (media === "audio") {
      remote.sound = track as IRemoteAudioTrack;
      remote.sound.play();
    } else remote.picture = track as IRemoteVideoTrack;
    const tell = () => this.#emitter.tell("track", { peer, kind, track: track.getMediaStreamTrack() });
    // The SDK may replace what is inside, for example after a reconnect.
    track.on("track-updated", tell);
    this.#set(peer.uid, kind, "on");
    tell();
  }

  #unpublished(uid: number, media: AgoraMedia): void {
    const remote = this.#remotes.get(uid);
    if (!remote) return;
    const kind = kindOf[media];
    if (media === "audio") delete remote.sound;
    else delete remote.picture;
    if (remote.peer.publications[kind] === "muted") return;
    this.#set(uid, kind, "off");
    this.#emitter.tell("track_ended", { peer: remote.peer, kind });
  }

  #set(uid: number, kind: MediaKind, state: PublicationState): void {
    const remote = this.#remotes.get(uid);
    if (!remote) return;
    const was = remote.peer.publications[kind];
    if (was === state) return;
    remote.peer.publications = { ...remote.peer.publications, [kind]: state };
    if ((was === "muted") !== (state === "muted")) {
      this.#emitter.tell("muted", { peer: remote.peer, kind, muted: state === "muted" });
    }
  }

  #remote(user: RemoteUser): Remote {
    const uid = Number(user.uid);
    const known = this.#remotes.get(uid);
    if (known) return known;
    const off = { microphone: "off", camera: "off", screen: "off" } as const;
    const remote: Remote = { peer: { uid, name: "", publications: off } };
    this.#remotes.set(uid, remote);
    this.#emitter.tell("peer_joined", { peer: remote.peer });
    return remote;
  }

  #leave(uid: number): void {
    const remote = this.#remotes.get(uid);
    if (!remote) return;
    this.#remotes.delete(uid);
    this.#emitter.tell("peer_left", { peer: remote.peer });
  }
}
