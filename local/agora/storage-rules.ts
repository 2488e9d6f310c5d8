import { z } from "zod";

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

const folder = z.string().regex(/^[A-Za-z0-9]+$/, "only letters and digits");

/** storageConfig of start and update (Agora, "Third-party storage"). */
export const storageConfigRules = z
  .object({
    vendor: z.int(),
    region: z.int().min(0),
    bucket: z.string().min(1),
    accessKey: z.string().min(1),
    secretKey: z.string().min(1),
    fileNamePrefix: z.array(folder).default([]),
    stsToken: z.string().optional(),
    stsExpiration: z.int().optional(),
    extensionParams: z
      .object({ sse: z.string().optional(), tag: z.string().optional(), endpoint: z.string().optional() })
      .optional(),
  })
  .superRefine((config, check) => {
    const refuse = (message: string) => check.addIssue({ code: "custom", message });
    const isRegion = regionsOf[config.vendor];
    if (!isRegion) refuse(`vendor ${config.vendor} does not exist`);
    else if (!isRegion(config.region)) refuse(`vendor ${config.vendor} has no region ${config.region}`);
    if (config.vendor === s3Protocol && !config.extensionParams?.endpoint) {
      refuse("vendor 11 needs extensionParams.endpoint");
    }
    if (prefixOf(config.fileNamePrefix).length > 128) refuse("fileNamePrefix is longer than 128 characters");
  });

export type StorageConfig = z.output<typeof storageConfigRules>;

/** The folders in front of each file name: `a/b/`, or nothing. */
export function prefixOf(folders: string[]): string {
  return folders.map((name) => `${name}/`).join("");
}
