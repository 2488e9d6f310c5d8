const byteaOid = 17;
const jsonOid = 114;
const jsonbOid = 3802;
const timestampOid = 1114;
const timestamptzOid = 1184;

/**
 * Types for the postgres driver that give and take values as PostgREST and Auth do: timestamps in ISO 8601, bytes as
 * `\\x…`. lite hands a json parameter over as text already; the driver would write that text as one JSON string.
 */
export const answeredTypes = {
  json: jsonType(jsonOid),
  jsonb: jsonType(jsonbOid),
  bytea: textType(byteaOid, (text) => text),
  timestamp: textType(timestampOid, isoTime),
  timestamptz: textType(timestamptzOid, isoTime),
};

/** Postgres' `2026-11-22 14:33:33.75+00` becomes `2026-11-22T14:33:33.75+00:00`; `infinity` and years BC stay as they are. */
export function isoTime(text: string): string {
  const [whole, date, time, hours, minutes] =
    /^(\d{4,}-\d\d-\d\d) ([\d:.]+)(?:([+-]\d\d)(:\d\d)?)?$/.exec(text) ?? [];
  if (whole === undefined) return text;
  return hours === undefined ? `${date}T${time}` : `${date}T${time}${hours}${minutes ?? ":00"}`;
}

function jsonType(oid: number) {
  return { to: oid, from: [oid], serialize: jsonText, parse: (text: string): unknown => JSON.parse(text) };
}

/** Text that is JSON stays as it is; anything else becomes JSON. */
function jsonText(value: unknown): string {
  if (typeof value === "string") {
    try {
      JSON.parse(value);
      return value;
    } catch {
      // A text of its own: it is written as a JSON string below.
    }
  }
  return JSON.stringify(value);
}

function textType(oid: number, parse: (text: string) => string) {
  return { to: oid, from: [oid], serialize: (value: string) => value, parse };
}
