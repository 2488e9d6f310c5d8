import { z } from "zod";
import { refusal, refuse } from "./refusals/refuse.ts";
import type { CorsRule } from "./settings.ts";
import { corsRuleSchema } from "./settings.ts";
import type { XmlElement } from "./xml.ts";
import { parseXml, xmlDocument } from "./xml.ts";

const MAX_RULES = 100;
/** B2 "Enable CORS with the S3-Compatible API": the document may have 100 KB. */
export const MAX_CORS_XML_BYTES = 100_000;

const corsDocument = z.object({
  CORSConfiguration: z.object({
    CORSRule: z.array(
      z.object({
        ID: z.string().optional(),
        AllowedOrigin: z.array(z.string()).default([]),
        AllowedMethod: z.array(z.string()).default([]),
        AllowedHeader: z.array(z.string()).default([]),
        ExposeHeader: z.array(z.string()).default([]),
        MaxAgeSeconds: z.coerce.number().optional(),
      }),
    ),
  }),
});

/**
 * Reads the body of PutBucketCors.
 * @throws S3Error MalformedXML, or InvalidArgument for a rule B2 does not take.
 */
export function parseCorsRules(text: string): CorsRule[] {
  const rules = parseXml(text, corsDocument).CORSConfiguration.CORSRule;
  if (rules.length > MAX_RULES) refuse("cors-too-many-rules");
  return rules.map((rule) => {
    const checked = corsRuleSchema.safeParse({
      id: rule.ID,
      allowedOrigins: rule.AllowedOrigin,
      allowedMethods: rule.AllowedMethod,
      allowedHeaders: rule.AllowedHeader,
      exposeHeaders: rule.ExposeHeader,
      maxAgeSeconds: rule.MaxAgeSeconds,
    });
    if (checked.success) return checked.data;
    const issue = checked.error.issues[0];
    const message = `Invalid CORS rule: ${issue?.path.join(".")}: ${issue?.message}`;
    throw refusal("cors-rule-invalid", { message });
  });
}

/** The answer to GetBucketCors. */
export function corsXml(rules: readonly CorsRule[]): string {
  const texts = (name: string, values: readonly string[]) => values.map((value): XmlElement => [name, value]);
  return xmlDocument(
    "CORSConfiguration",
    rules.map((rule) => [
      "CORSRule",
      [
        rule.id === undefined ? undefined : ["ID", rule.id],
        ...texts("AllowedOrigin", rule.allowedOrigins),
        ...texts("AllowedMethod", rule.allowedMethods),
        ...texts("AllowedHeader", rule.allowedHeaders),
        ...texts("ExposeHeader", rule.exposeHeaders),
        rule.maxAgeSeconds === undefined ? undefined : ["MaxAgeSeconds", rule.maxAgeSeconds],
      ],
    ]),
  );
}

/**
 * Headers a cross-origin answer carries; none without an `Origin` or without a rule for it.
 * Rules apply to downloads as well as to preflights (B2 "Cross-Origin Resource Sharing Rules").
 */
export function corsHeaders(
  rules: readonly CorsRule[],
  origin: string | undefined,
  method: string,
): Record<string, string> {
  const rule = origin === undefined ? undefined : ruleFor(rules, origin, method, []);
  if (origin === undefined || rule === undefined) return {};
  return {
    ...allowOrigin(rule, origin),
    ...(rule.exposeHeaders.length === 0
      ? {}
      : { "access-control-expose-headers": rule.exposeHeaders.join(", ") }),
  };
}

/**
 * Headers of the answer to a preflight.
 * @throws S3Error AccessForbidden when no rule allows what the browser asks for: the default of every bucket.
 */
export function preflightHeaders(
  rules: readonly CorsRule[],
  headers: Record<string, string | undefined>,
): Record<string, string> {
  const origin = headers.origin;
  const method = headers["access-control-request-method"];
  if (origin === undefined || method === undefined) {
    throw refusal("preflight-incomplete");
  }
  const wanted = (headers["access-control-request-headers"] ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");
  const rule = ruleFor(rules, origin, method, wanted);
  if (rule === undefined) {
    refuse(rules.length === 0 ? "preflight-without-rules" : "preflight-not-allowed");
    return {};
  }
  return {
    ...allowOrigin(rule, origin),
    "access-control-allow-methods": rule.allowedMethods.join(", "),
    ...(wanted.length === 0 ? {} : { "access-control-allow-headers": wanted.join(", ") }),
    ...(rule.exposeHeaders.length === 0
      ? {}
      : { "access-control-expose-headers": rule.exposeHeaders.join(", ") }),
    ...(rule.maxAgeSeconds === undefined ? {} : { "access-control-max-age": String(rule.maxAgeSeconds) }),
  };
}

function allowOrigin(rule: CorsRule, origin: string): Record<string, string> {
  const vary = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";
  if (rule.allowedOrigins.includes("*")) return { "access-control-allow-origin": "*", vary };
  return { "access-control-allow-origin": origin, "access-control-allow-credentials": "true", vary };
}

function ruleFor(
  rules: readonly CorsRule[],
  origin: string,
  method: string,
  wanted: readonly string[],
): CorsRule | undefined {
  return rules.find(
    (rule) =>
      rule.allowedMethods.some((allowed) => allowed === method) &&
      rule.allowedOrigins.some((pattern) => matchesPattern(pattern, origin)) &&
      wanted.every((name) =>
        rule.allowedHeaders.some((pattern) => matchesPattern(pattern.toLowerCase(), name)),
      ),
  );
}

/** `*` stands for anything, once in a pattern. */
function matchesPattern(pattern: string, text: string): boolean {
  const star = pattern.indexOf("*");
  if (star === -1) return pattern === text;
  const [head, tail] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return text.length >= head.length + tail.length && text.startsWith(head) && text.endsWith(tail);
}
