import type { PlaybackAddresses } from "../../backend/playback-addresses.ts";
import { createFreshAddresses } from "./fresh-addresses.ts";

/** What a player should do after the store or our function refused an address (401, 403). */
export type Remedy =
  /** Ask again for what is missing, at the same second: the addresses are fresh. */
  | "ask_again"
  /** That did not help: load the new playlist or file as a whole, at the same second. */
  | "load_anew"
  /** Neither did that: say so. */
  | "give_up";

/** So soon after a remedy the same refusal means that it did not help, ms. */
const TOO_SOON_MS = 4000;
/** From this long before its end on an address is not used any more, ms. */
const SLACK_MS = 20_000;

export interface Renewal {
  /** The newest addresses. */
  current(): PlaybackAddresses;
  /** The address to really ask for where a player asks for this one. Renews first where the playlist's own is about to end. */
  addressFor(url: string): Promise<string>;
  /** Fetches new addresses; several askers share one answer. Throws what `open` throws. */
  renew(): Promise<PlaybackAddresses>;
  /** An address was refused: renews, and says what to do then. Throws what `open` throws. */
  refused(): Promise<Remedy>;
}

/** Keeps one player's addresses fresh. `open` asks play-recording, `readText` fetches a playlist; `now` is ms since 1970. */
export function createRenewal(
  first: PlaybackAddresses,
  deps: {
    open: () => Promise<PlaybackAddresses>;
    readText: (url: string) => Promise<string>;
    now: () => number;
  },
): Renewal {
  const fresh = createFreshAddresses();
  const remedies: Remedy[] = ["ask_again", "load_anew", "give_up"];
  let current = first;
  let underWay: Promise<PlaybackAddresses> | undefined;
  let tried = 0;
  let lastRemedyAt = Number.NEGATIVE_INFINITY;

  const renew = () => {
    underWay ??= (async () => {
      try {
        const next = await deps.open();
        if (next.hls !== null) fresh.learn(await deps.readText(next.hls.url), next.hls.url);
        current = next;
        return next;
      } finally {
        underWay = undefined;
      }
    })();
    return underWay;
  };

  const isOurPlaylist = (url: string) => {
    const ours = first.hls?.url;
    return ours !== undefined && new URL(url).pathname === new URL(ours).pathname;
  };

  return {
    current: () => current,
    renew,
    addressFor: async (url) => {
      if (!isOurPlaylist(url)) return fresh.of(url);
      const ends = current.hls === null ? Number.NaN : Date.parse(current.hls.expires_at);
      if (ends - deps.now() < SLACK_MS) await renew();
      return current.hls?.url ?? url;
    },
    refused: async () => {
      const isTooSoon = deps.now() - lastRemedyAt < TOO_SOON_MS;
      tried = isTooSoon ? Math.min(tried + 1, remedies.length - 1) : 0;
      const remedy = remedies[tried] ?? "give_up";
      if (remedy !== "give_up") await renew();
      lastRemedyAt = deps.now();
      return remedy;
    },
  };
}
