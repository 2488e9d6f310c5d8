import { describe, expect, it } from "vitest";
import { createPositionKeeper, startOf } from "../../src/pages/player/resume.ts";

describe("Watching goes on where it was left", () => {
  it("a link's moment comes before the saved place, and that before the beginning", () => {
    expect(startOf({ link: 90, saved: 300, duration: 600 })).toEqual({ atSeconds: 90, because: "link" });
    expect(startOf({ link: undefined, saved: 300, duration: 600 })).toEqual({
      atSeconds: 300,
      because: "resumed",
    });
    expect(startOf({ link: undefined, saved: null, duration: 600 })).toEqual({
      atSeconds: 0,
      because: "beginning",
    });
  });

  it("a link to a moment that this recording does not have is no link", () => {
    expect(startOf({ link: 601, saved: 300, duration: 600 }).because).toBe("resumed");
  });

  it("what was watched to its end, or hardly begun, begins anew", () => {
    expect(startOf({ link: undefined, saved: 590, duration: 600 }).because).toBe("beginning");
    expect(startOf({ link: undefined, saved: 4, duration: 600 }).because).toBe("beginning");
  });

  it("a short recording has short edges", () => {
    expect(startOf({ link: undefined, saved: 4, duration: 8 })).toEqual({ atSeconds: 4, because: "resumed" });
  });

  it("the place is saved at most every five seconds, but at once when leaving, and never twice", () => {
    const saved: number[] = [];
    let now = 0;
    const keeper = createPositionKeeper(
      (ms) => saved.push(ms),
      () => now,
    );
    for (let second = 1; second <= 12; second++) {
      now = second * 1000;
      keeper.watching(second);
    }
    expect(saved).toEqual([1000, 6000, 11000]);
    keeper.leaving(12.5);
    keeper.leaving(12.5);
    expect(saved).toEqual([1000, 6000, 11000, 12500]);
    keeper.leaving(Number.NaN);
    expect(saved).toHaveLength(4);
  });
});
