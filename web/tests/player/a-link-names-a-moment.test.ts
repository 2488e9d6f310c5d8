import { describe, expect, it } from "vitest";
import { linkAt, linkTimeOf, secondsOfLink } from "../../src/pages/player/time-in-link.ts";

describe("A link names a moment of a recording", () => {
  it.each([
    ["754", 754],
    ["754s", 754],
    ["12m34s", 754],
    ["12m", 720],
    ["1h2m3s", 3723],
    ["12:34", 754],
    ["1:02:03", 3723],
    [" 5S ", 5],
    ["0", 0],
    ["1.5s", 1.5],
  ])("%j is %d s", (text, seconds) => {
    expect(secondsOfLink(text)).toBe(seconds);
  });

  it.each([
    null,
    undefined,
    "",
    "  ",
    "soon",
    "-5",
    "m",
    "h",
    "12:3x",
    "1e9",
    "12m34s7",
    "99999999999999999999",
  ])("%j is none", (text) => {
    expect(secondsOfLink(text)).toBeUndefined();
  });

  it("what is written is read again", () => {
    for (const seconds of [0, 1, 59, 60, 61, 754, 3600, 3723, 36_000])
      expect(secondsOfLink(linkTimeOf(seconds))).toBe(seconds);
  });

  it("the copied address carries the moment and nothing else of the address", () => {
    expect(linkAt("https://portal.example/recordings/abc?t=5s&from=mail#x", 754.9)).toBe(
      "https://portal.example/recordings/abc?t=12m34s",
    );
  });
});
