import { z } from "zod";
import type { LifecycleRule } from "./lifecycle-rule.ts";
import { lifecycleRuleSchema } from "./lifecycle-rule.ts";
import { refusal, refuse } from "./refusals/refuse.ts";
import type { XmlElement } from "./xml.ts";
import { parseXml, xmlDocument } from "./xml.ts";

const MAX_RULES = 100;
export const MAX_LIFECYCLE_XML_BYTES = 500_000;

const days = z.coerce.number();
/** Strict: a transition, a tag filter or a date is something B2 has no rule for. */
const ruleDocument = z.strictObject({
  "#text": z.string().optional(),
  ID: z.string().optional(),
  Status: z.enum(["Enabled", "Disabled"]),
  Prefix: z.string().optional(),
  Filter: z
    .union([z.strictObject({ "#text": z.string().optional(), Prefix: z.string().optional() }), z.literal("")])
    .optional(),
  Expiration: z
    .strictObject({
      "#text": z.string().optional(),
      Days: days.optional(),
      ExpiredObjectDeleteMarker: z.enum(["true", "false"]).optional(),
    })
    .optional(),
  NoncurrentVersionExpiration: z
    .strictObject({ "#text": z.string().optional(), NoncurrentDays: days })
    .optional(),
  AbortIncompleteMultipartUpload: z
    .strictObject({ "#text": z.string().optional(), DaysAfterInitiation: days })
    .optional(),
});
const lifecycleDocument = z.object({
  LifecycleConfiguration: z.object({ Rule: z.array(ruleDocument).min(1) }),
});

/**
 * Reads the body of PutBucketLifecycle.
 * @throws S3Error MalformedXML for what B2 has no rule for, InvalidArgument for days below 1 or too many rules.
 */
export function parseLifecycleRules(text: string): LifecycleRule[] {
  const rules = parseXml(text, lifecycleDocument).LifecycleConfiguration.Rule;
  if (rules.length > MAX_RULES) refuse("lifecycle-too-many-rules");
  return rules.map((rule) => {
    const checked = lifecycleRuleSchema.safeParse({
      id: rule.ID,
      prefix: (typeof rule.Filter === "object" ? rule.Filter.Prefix : undefined) ?? rule.Prefix ?? "",
      enabled: rule.Status === "Enabled",
      expirationDays: rule.Expiration?.Days,
      expiredObjectDeleteMarker: rule.Expiration?.ExpiredObjectDeleteMarker === "true" || undefined,
      noncurrentDays: rule.NoncurrentVersionExpiration?.NoncurrentDays,
      abortIncompleteDays: rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation,
    });
    if (checked.success) return checked.data;
    throw refusal("lifecycle-days");
  });
}

/** The answer to GetBucketLifecycle. */
export function lifecycleXml(rules: readonly LifecycleRule[]): string {
  return xmlDocument(
    "LifecycleConfiguration",
    rules.map(
      (rule): XmlElement => [
        "Rule",
        [
          rule.id === undefined ? undefined : ["ID", rule.id],
          ["Filter", [["Prefix", rule.prefix]]],
          ["Status", rule.enabled ? "Enabled" : "Disabled"],
          expiration(rule),
          wrapped("NoncurrentVersionExpiration", "NoncurrentDays", rule.noncurrentDays),
          wrapped("AbortIncompleteMultipartUpload", "DaysAfterInitiation", rule.abortIncompleteDays),
        ],
      ],
    ),
  );
}

function expiration(rule: LifecycleRule): XmlElement | undefined {
  if (rule.expirationDays !== undefined) return ["Expiration", [["Days", rule.expirationDays]]];
  return rule.expiredObjectDeleteMarker ? ["Expiration", [["ExpiredObjectDeleteMarker", true]]] : undefined;
}

function wrapped(outer: string, inner: string, value: number | undefined): XmlElement | undefined {
  return value === undefined ? undefined : [outer, [[inner, value]]];
}
