import { z } from "zod";
import { RecorderFailure } from "../errors.ts";
import { storeError } from "./errors.ts";

/** Where the store is and with which key it is used. */
export interface StoreSettings {
  /** `https://s3.<region>.backblazeb2.com`, with or without the scheme; plain http on loopback only. */
  endpoint: string;
  /** May be left out where the endpoint tells it: see regionOf. */
  region?: string;
  bucket: string;
  /** An application key's id and secret; the master key does not work with the S3 API. */
  keyId: string;
  applicationKey: string;
}

/** The region in a B2 host name; undefined for any other host, where a guess would only make wrong signatures. */
export function regionOf(endpoint: string): string | undefined {
  const host = URL.parse(withScheme(endpoint))?.hostname;
  return host === undefined ? undefined : /^s3\.([a-z0-9-]+)\.backblazeb2\.com$/.exec(host)?.[1];
}

function withScheme(endpoint: string): string {
  return /^[a-z]+:\/\//i.test(endpoint) ? endpoint : `https://${endpoint}`;
}

const storeSettings = z
  .object({
    endpoint: z
      .string()
      .transform(withScheme)
      .pipe(z.url({ protocol: /^https?$/ }))
      .transform((text) => new URL(text))
      .refine(
        (url) => url.pathname === "/" && url.search === "" && url.username === "",
        "must be a bare address",
      )
      .refine(
        (url) => url.protocol === "https:" || ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname),
        "must be https",
      )
      .transform((url) => url.origin),
    region: z
      .string()
      .regex(/^[a-z0-9-]+$/, "must be like us-west-004")
      .optional(),
    bucket: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.-]{1,61}[A-Za-z0-9]$/, "must be a bucket's name"),
    keyId: z.string().regex(/^\S+$/, "must not be empty nor hold spaces"),
    applicationKey: z.string().regex(/^\S+$/, "must not be empty nor hold spaces"),
  })
  .transform((settings, context) => {
    const region = settings.region ?? regionOf(settings.endpoint);
    if (region !== undefined) return { ...settings, region };
    context.addIssue({
      code: "custom",
      path: ["region"],
      message: "must be given, the endpoint does not tell it",
    });
    return z.NEVER;
  });

/** Checked settings: endpoint as an origin, region filled in. */
export type CheckedStoreSettings = z.output<typeof storeSettings>;

/** Throws RecorderFailure `store_settings_invalid`, naming the members but no value. */
export function parseStoreSettings(settings: StoreSettings): CheckedStoreSettings {
  const parsed = storeSettings.safeParse(settings);
  if (parsed.success) return parsed.data;
  const detail = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
  throw new RecorderFailure(storeError("store_settings_invalid", { detail }));
}
