import type { MediaServer } from "./calls/media-server.ts";
import type { AgoraSettings } from "./settings.ts";
import type { MediaSource } from "./tasks/task-deps.ts";

type Publishers = AgoraSettings["publishers"];

/** Who is in a channel and what they send, as the media server knows it or a switch of the control port says. */
export class ChannelPeople {
  readonly #usual: Publishers;
  readonly #mediaServer: MediaServer;
  readonly #publishers = new Map<string, Publishers>();
  readonly #members = new Map<string, string[]>();

  /** `usual`: who publishes in channels about which nothing was said. */
  constructor(usual: Publishers, mediaServer: MediaServer) {
    this.#usual = usual;
    this.#mediaServer = mediaServer;
  }

  /** Says who publishes in a channel from now on. */
  setPublishers(cname: string, publishers: Publishers): void {
    this.#publishers.set(cname, publishers);
  }

  /** Says which uids are in a channel beside those at the media server. */
  setMembers(cname: string, uids: string[]): void {
    this.#members.set(cname, uids);
  }

  /** What a recorder that joins a channel now is to record. */
  sourceOf(cname: string): MediaSource {
    const wish = this.#publishersOf(cname);
    return wish === "calls" || (wish === "synthetic" && this.#mediaServer.isJoined(cname))
      ? "call"
      : "synthetic";
  }

  /** Whether somebody publishes media of this source in a channel now. */
  isPublishing(cname: string, source: MediaSource): boolean {
    const wish = this.#publishersOf(cname);
    if (source === "call") return wish !== "none" && this.#mediaServer.isPublishing(cname);
    return wish === "synthetic";
  }

  /** Whether somebody in the channel has this uid. */
  isMember(cname: string, uid: string): boolean {
    const people = this.#mediaServer.peopleOf(cname).map((person) => String(person.uid));
    return [...people, ...(this.#members.get(cname) ?? [])].includes(uid);
  }

  #publishersOf(cname: string): Publishers {
    return this.#publishers.get(cname) ?? this.#usual;
  }
}
