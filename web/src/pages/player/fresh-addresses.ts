/**
 * Addresses end while somebody watches. hls.js keeps those it read in the playlist; this knows the newest address of each:
 * the same place (origin and path) with another signature. So a player goes on with the playlist it has, at the same second.
 */
export interface FreshAddresses {
  /** The newest address of the same file; the given one where nothing newer is known. */
  of(url: string): string;
  /** Takes over the addresses of a playlist that was fetched anew. Gives how many there were. */
  learn(playlist: string, playlistUrl: string): number;
}

export function createFreshAddresses(): FreshAddresses {
  const newest = new Map<string, string>();
  return {
    of: (url) => newest.get(placeOf(url)) ?? url,
    learn: (playlist, playlistUrl) => {
      let count = 0;
      for (const line of playlist.split(/\r?\n/)) {
        const uri = line.trim();
        if (uri === "" || uri.startsWith("#")) continue;
        const { href } = new URL(uri, playlistUrl);
        newest.set(placeOf(href), href);
        count += 1;
      }
      return count;
    },
  };
}

function placeOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
