import { createHash } from "node:crypto";
import { XMLParser } from "fast-xml-parser";
import { z } from "zod";
import type { RetryPolicy } from "../../supabase/functions/_shared/b2/retry-policy.ts";
import { parseStoreSettings, type StoreSettings } from "../../supabase/functions/_shared/b2/settings.ts";
import {
  type B2Deps,
  createStoreTransport,
  readText,
} from "../../supabase/functions/_shared/b2/transport.ts";

/** The doctor does not wait long: what fails twice is told. */
export const DOCTOR_POLICY: RetryPolicy = {
  attempts: 2,
  firstPauseMs: 200,
  jitter: 0.5,
  longestPauseMs: 1_000,
  timeoutMs: 8_000,
  putTimeoutMs: 8_000,
  budgetMs: 10_000,
};

/** What a bucket's rules do by themselves; undefined members are done by none. */
interface LifecycleFacts {
  /** Days after which a version that is no longer current goes. */
  noncurrentDays: number | undefined;
  /** Days after which an unfinished upload is given up. */
  abortDays: number | undefined;
  /** Whether a rule hides current objects. */
  hasExpiration: boolean;
}

export interface BucketRules {
  /** Throws RecorderFailure `store_access_denied` for a key without readBuckets. */
  lifecycle(): Promise<LifecycleFacts>;
  /** Replaces the bucket's lifecycle rules: B2 takes the whole list or nothing. */
  keepOnlyWhatCounts(): Promise<void>;
  /** Lets pages of this origin read by GET and HEAD; rules for other origins stay. */
  allowReading(origin: string): Promise<void>;
}

const RULE_ID = "callRecordingPortal";
const LONGEST_XML_BYTES = 600_000;

const parser = new XMLParser({
  parseTagValue: false,
  ignoreAttributes: true,
  isArray: (name) => name === "Rule",
});
const days = z.coerce.number().int().positive().optional();
const lifecycleDocument = z.object({
  LifecycleConfiguration: z.looseObject({
    Rule: z
      .array(
        z.looseObject({
          Status: z.string(),
          Expiration: z.looseObject({ Days: days }).optional(),
          NoncurrentVersionExpiration: z.looseObject({ NoncurrentDays: days }).optional(),
          AbortIncompleteMultipartUpload: z.looseObject({ DaysAfterInitiation: days }).optional(),
        }),
      )
      .default([]),
  }),
});

/**
 * The rules of a bucket, which the runtime's keys must not be able to change. Sources: Backblaze, "S3 Put Bucket
 * Lifecycle" and "Enable CORS with the S3-Compatible API".
 */
export function bucketRules(settings: StoreSettings, deps: B2Deps): BucketRules {
  const store = createStoreTransport(parseStoreSettings(settings), deps, DOCTOR_POLICY);
  // 404: there are no rules yet.
  const get = (what: "cors" | "lifecycle") =>
    store.send({ method: "GET", query: { [what]: "" }, expect: [200, 404] }, async (response) => {
      const { text } = await readText(response, LONGEST_XML_BYTES);
      return response.status === 404 ? undefined : text;
    });
  const put = (what: "cors" | "lifecycle", body: string) =>
    store.send(
      {
        method: "PUT",
        query: { [what]: "" },
        headers: {
          "content-type": "application/xml",
          "content-md5": createHash("md5").update(body).digest("base64"),
        },
        body,
        expect: [200, 204],
      },
      async (response) => void (await response.body?.cancel()),
    );

  return {
    async lifecycle() {
      const text = await get("lifecycle");
      const rules =
        text === undefined
          ? []
          : lifecycleDocument
              .parse(parser.parse(text))
              .LifecycleConfiguration.Rule.filter(({ Status }) => Status === "Enabled");
      const shortest = (values: (number | undefined)[]) => {
        const known = values.filter((value) => value !== undefined);
        return known.length === 0 ? undefined : Math.min(...known);
      };
      return {
        noncurrentDays: shortest(rules.map((rule) => rule.NoncurrentVersionExpiration?.NoncurrentDays)),
        abortDays: shortest(rules.map((rule) => rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation)),
        hasExpiration: rules.some((rule) => rule.Expiration?.Days !== undefined),
      };
    },

    async keepOnlyWhatCounts() {
      await put(
        "lifecycle",
        `<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule><ID>${RULE_ID}</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status><NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration><AbortIncompleteMultipartUpload><DaysAfterInitiation>2</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule></LifecycleConfiguration>`,
      );
    },

    async allowReading(origin) {
      const rule = `<CORSRule><ID>${RULE_ID}</ID><AllowedOrigin>${origin}</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>HEAD</AllowedMethod><AllowedHeader>range</AllowedHeader><ExposeHeader>Content-Length</ExposeHeader><ExposeHeader>Content-Range</ExposeHeader><ExposeHeader>Accept-Ranges</ExposeHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>3600</MaxAgeSeconds></CORSRule>`;
      const present = (await get("cors")) ?? "";
      const others = (present.match(/<CORSRule>[\s\S]*?<\/CORSRule>/g) ?? []).filter(
        (other) => !other.includes(`<ID>${RULE_ID}</ID>`),
      );
      // First: the first rule that fits an origin decides.
      await put(
        "cors",
        `<CORSConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${rule}${others.join("")}</CORSConfiguration>`,
      );
    },
  };
}
