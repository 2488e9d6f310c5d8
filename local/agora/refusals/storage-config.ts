import { z } from "zod";
import { at, unless } from "./body-rules.ts";
import { from, type RefusalRule, service } from "./refusal.ts";

/** Region numbers per vendor as Agora lists them; vendors that are not here do not exist. */
const regionsOf: Record<number, (region: number) => boolean> = {
  0: (region) => region <= 3,
  1: (region) => region <= 25 || region === 28,
  2: (region) => region <= 27,
  3: (region) => region <= 19,
  4: (region) => region <= 9,
  5: () => true,
  6: () => true,
  7: (region) => region <= 15,
  8: (region) => region >= 1 && region <= 7,
  11: (region) => region === 0,
};

/** Any S3-protocol store: its endpoint comes with the request. */
export const s3Protocol = 11;

const config = "clientRequest.storageConfig";
const letters = z.array(z.string().regex(/^[A-Za-z0-9]+$/));
const lettersAndHyphens = z.array(z.string().regex(/^[A-Za-z0-9_-]+$/));
const vendorOf = (body: unknown) => at(body, "clientRequest", "storageConfig", "vendor");

function rule(name: string, what: string, refuses: (body: unknown) => boolean, source = from("start")) {
  return { what, source, answer: service(400, 2, `invalid ${name}: ${what}`), refuses };
}

/** What the storage of start and update must not be. Whether the keys are right shows at the first upload only. */
export const storageConfigRefusals = {
  "storage.missing": rule(
    "storageConfig",
    "a request without storageConfig",
    unless(config, z.looseObject({})),
  ),
  "storage.vendor": rule(
    "vendor",
    "a vendor that is not in the list",
    (body) => regionsOf[Number(vendorOf(body) ?? Number.NaN)] === undefined,
    from("regionVendor"),
  ),
  "storage.region": rule(
    "region",
    "a region that the vendor does not have",
    (body) => {
      const region = at(body, "clientRequest", "storageConfig", "region");
      const isRegion = regionsOf[Number(vendorOf(body))] ?? (() => true);
      return !z.int().min(0).safeParse(region).success || !isRegion(Number(region));
    },
    from("regionVendor"),
  ),
  "storage.bucket": rule("bucket", "storage without a bucket", unless(`${config}.bucket`, z.string().min(1))),
  "storage.access_key": rule(
    "accessKey",
    "storage without an access key",
    unless(`${config}.accessKey`, z.string().min(1)),
  ),
  "storage.secret_key": rule(
    "secretKey",
    "storage without a secret key",
    unless(`${config}.secretKey`, z.string().min(1)),
  ),
  "storage.prefix": rule(
    "fileNamePrefix",
    "folders with other characters than letters, digits, hyphens and underscores",
    unless(`${config}.fileNamePrefix`, lettersAndHyphens.optional()),
  ),
  "storage.prefix_hyphen": {
    ...rule(
      "fileNamePrefix",
      "folders with a hyphen or an underscore, unless the service is set to leave them out",
      unless(`${config}.fileNamePrefix`, letters.optional()),
      from("start", "unconfirmed"),
    ),
  },
  "storage.prefix_length": rule("fileNamePrefix", "folders of more than 128 characters together", (body) => {
    const folders = at(body, "clientRequest", "storageConfig", "fileNamePrefix");
    return Array.isArray(folders) && folders.map((name) => `${name}/`).join("").length > 128;
  }),
  "storage.endpoint": rule(
    "extensionParams",
    "vendor 11 without an endpoint",
    (body) =>
      vendorOf(body) === s3Protocol &&
      !z
        .string()
        .min(1)
        .safeParse(at(body, "clientRequest", "storageConfig", "extensionParams", "endpoint")).success,
  ),
} as const satisfies Record<string, RefusalRule>;
