import { z } from "zod";

/** The value at a path of members of parsed JSON; undefined where it ends early. */
export function at(body: unknown, ...path: string[]): unknown {
  let value = body;
  for (const name of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = Object.getOwnPropertyDescriptor(value, name)?.value;
  }
  return value;
}

/** Refuses a body whose member at this path is not of this form. */
export function unless(path: string, form: z.ZodType): (body: unknown) => boolean {
  const members = path.split(".");
  return (body) => !form.safeParse(at(body, ...members)).success;
}

/** Refuses a body that every call but query must have: cname as text, and clientRequest. */
export function withoutForm(body: unknown): boolean {
  return (
    typeof at(body, "cname") !== "string" || !z.looseObject({}).safeParse(at(body, "clientRequest")).success
  );
}

/** RTC uid of a recorder: decimal text, 1 to 4294967295, no leading zero. */
export const recorderUid = z
  .string()
  .regex(/^[1-9]\d{0,9}$/)
  .refine((text) => Number(text) <= 4_294_967_295);

/** Channel names: fewer than 64 bytes out of 89 characters (Agora, "Channel name"). */
export const channelName = z.string().regex(/^[A-Za-z0-9 !#$%&()+\-:;<=.>?@[\]^_{}|~,]{1,63}$/);

export const colour = z.string().regex(/^#[0-9a-fA-F]{6}$/);

const share = z.number().min(0).max(1);

/** One place of a custom layout. */
export const layoutRegion = z.object({
  uid: z.string().optional(),
  x_axis: share,
  y_axis: share,
  width: share,
  height: share,
  alpha: share.optional(),
  render_mode: z.literal([0, 1]).optional(),
});

/** One user's background. */
export const userBackground = z.object({
  uid: z.string(),
  image_url: z.string(),
  render_mode: z.literal([0, 1]).optional(),
});

/** Uids to subscribe to or not, or all of them. */
export const uidList = z
  .array(z.union([z.literal("#allstream#"), z.string().regex(/^\d+$/)]))
  .min(1)
  .max(32);

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
