const IN_UNITS = /^(?:(\d{1,3})h)?(?:(\d{1,5})m)?(?:(\d{1,7}(?:\.\d{1,3})?)s?)?$/;
const WITH_COLONS = /^(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2}(?:\.\d{1,3})?)$/;

/** Seconds that a link's `t` names: 754, 754s, 12m34s, 1h2m3s, 12:34, 1:02:03. Undefined for anything else. */
export function secondsOfLink(text: string | null | undefined): number | undefined {
  const trimmed = text?.trim().toLowerCase() ?? "";
  if (trimmed === "") return undefined;
  const [whole, hours = "0", minutes = "0", seconds = "0"] =
    IN_UNITS.exec(trimmed) ?? WITH_COLONS.exec(trimmed) ?? [];
  return whole === undefined ? undefined : Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}

/** The short form of a moment for a link, whole seconds: 12m34s, 1h2m3s, 45s. */
export function linkTimeOf(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [
    [Math.floor(whole / 3600), "h"],
    [Math.floor(whole / 60) % 60, "m"],
    [whole % 60, "s"],
  ] as const;
  const text = parts.flatMap(([count, unit]) => (count > 0 ? [`${count}${unit}`] : [])).join("");
  return text === "" ? "0s" : text;
}

/** The address of this page at a moment of the recording; everything else of the address stays away. */
export function linkAt(pageUrl: string, seconds: number): string {
  const { origin, pathname } = new URL(pageUrl);
  return `${origin}${pathname}?t=${linkTimeOf(seconds)}`;
}
