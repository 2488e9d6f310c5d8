import { describe, expect, it } from "vitest";
import type { PlaybackAddresses } from "../../src/backend/playback-addresses.ts";
import { createRenewal } from "../../src/pages/player/renewal.ts";

const start = Date.UTC(2026, 0, 1);
const minutes = (count: number) => count * 60_000;

function stage() {
  let opened = 0;
  let now = start;
  const addresses = (): PlaybackAddresses => ({
    recording_id: "55000000-0000-4000-8000-000000000001",
    status: "recorded",
    is_complete: true,
    quality: "720p",
    duration_seconds: 60,
    size_bytes: 1,
    is_partial: false,
    gaps: [],
    position_seconds: null,
    expires_at: null,
    refresh_at: null,
    hls: {
      url: `https://api.example/play-recording/playlist.m3u8?token=${opened}`,
      expires_at: new Date(now + minutes(15)).toISOString(),
    },
    mp4: [],
    thumbnail: null,
  });
  const renewal = createRenewal(addresses(), {
    open: async () => {
      opened += 1;
      return addresses();
    },
    readText: async () => `#EXTM3U\n#EXTINF:4,\nhttps://store.example/1.ts?Signature=${opened}\n`,
    now: () => now,
  });
  return {
    renewal,
    opened: () => opened,
    pass: (ms: number) => {
      now += ms;
    },
  };
}

describe("Refused addresses are renewed", () => {
  it("the player asks again for the same file, under its new address", async () => {
    const { renewal } = stage();
    expect(await renewal.addressFor("https://store.example/1.ts?Signature=0")).toMatch(/Signature=0$/);
    expect(await renewal.refused()).toBe("ask_again");
    expect(await renewal.addressFor("https://store.example/1.ts?Signature=0")).toMatch(/Signature=1$/);
  });

  it("refused again at once, the playlist is loaded anew, and then it is said", async () => {
    const { renewal, pass, opened } = stage();
    const remedies = [];
    for (let time = 0; time < 4; time++) {
      remedies.push(await renewal.refused());
      pass(500);
    }
    expect(remedies).toEqual(["ask_again", "load_anew", "give_up", "give_up"]);
    // Nobody is asked in vain any more.
    expect(opened()).toBe(2);
  });

  it("hours later it is the first refusal again", async () => {
    const { renewal, pass } = stage();
    await renewal.refused();
    pass(minutes(120));
    expect(await renewal.refused()).toBe("ask_again");
  });

  it("a playlist whose token is about to end is asked for with a new one, by however many at once", async () => {
    const { renewal, pass, opened } = stage();
    const ours = "https://api.example/play-recording/playlist.m3u8?token=0";
    expect(await renewal.addressFor(ours)).toMatch(/token=0$/);
    pass(minutes(15) - 5000);
    const asked = await Promise.all([renewal.addressFor(ours), renewal.addressFor(ours)]);
    expect(asked[0]).toMatch(/token=1$/);
    expect(asked[1]).toBe(asked[0]);
    expect(opened()).toBe(1);
  });

  it("whoever may not see it any more hears so, and the old addresses stay as they were", async () => {
    const { renewal } = stage();
    const gone = createRenewal(renewal.current(), {
      open: async () => {
        throw new Error("recording_not_found");
      },
      readText: async () => "",
      now: Date.now,
    });
    await expect(gone.refused()).rejects.toThrow("recording_not_found");
    await expect(gone.renew()).rejects.toThrow("recording_not_found");
    expect(gone.current()).toBe(renewal.current());
  });
});
