import { corsXml, MAX_CORS_XML_BYTES, parseCorsRules } from "./cors.ts";
import type { Operation } from "./exchange.ts";
import { readText, xmlAnswer } from "./exchange.ts";
import { lifecycleXml, MAX_LIFECYCLE_XML_BYTES, parseLifecycleRules } from "./lifecycle.ts";
import { OWNER } from "./listing-operations.ts";
import { refuse } from "./refusals/refuse.ts";
import type { B2Settings, CorsRule } from "./settings.ts";
import type { Store } from "./store.ts";
import type { XmlElement } from "./xml.ts";
import { xmlDocument } from "./xml.ts";

/** The rules in force: those set by PutBucketCors, before that those the bucket was created with. */
export function corsRulesOf(bucket: string, store: Store, settings: B2Settings): readonly CorsRule[] {
  return store.cors(bucket) ?? settings.buckets.find(({ name }) => name === bucket)?.corsRules ?? [];
}

/** Names every bucket of the account, whichever bucket the key is limited to: that is what listAllBucketNames says. */
export const listBuckets: Operation = ({ settings }) =>
  xmlAnswer(
    xmlDocument("ListAllMyBucketsResult", [
      OWNER,
      [
        "Buckets",
        settings.buckets
          .map(({ name }) => name)
          .sort()
          .map(
            (name): XmlElement => [
              "Bucket",
              [
                ["Name", name],
                ["CreationDate", "2026-01-01T00:00:00.000Z"],
              ],
            ],
          ),
      ],
    ]),
  );

export const headBucket: Operation = ({ settings }) => ({
  status: 200,
  headers: { "x-amz-bucket-region": settings.region },
});

export const getBucketLocation: Operation = ({ settings }) =>
  xmlAnswer(xmlDocument("LocationConstraint", settings.region));

/** There is no unversioned bucket at B2. */
export const getBucketVersioning: Operation = () =>
  xmlAnswer(xmlDocument("VersioningConfiguration", [["Status", "Enabled"]]));

export const getBucketCors: Operation = ({ bucket, store, settings }) => {
  const rules = corsRulesOf(bucket, store, settings);
  if (rules.length === 0) refuse("cors-not-set");
  return xmlAnswer(corsXml(rules));
};

export const putBucketCors: Operation = async (exchange) => {
  const rules = parseCorsRules(await readText(exchange, MAX_CORS_XML_BYTES));
  exchange.store.record({ type: "cors-set", bucket: exchange.bucket, rules });
  return { status: 200 };
};

export const deleteBucketCors: Operation = ({ bucket, store }) => {
  store.record({ type: "cors-set", bucket, rules: [] });
  return { status: 204 };
};

export const getBucketLifecycle: Operation = ({ bucket, store }) => {
  const rules = store.lifecycle(bucket);
  if (rules.length === 0) refuse("lifecycle-not-set");
  return xmlAnswer(lifecycleXml(rules));
};

export const putBucketLifecycle: Operation = async (exchange) => {
  const rules = parseLifecycleRules(await readText(exchange, MAX_LIFECYCLE_XML_BYTES));
  exchange.store.record({ type: "lifecycle-set", bucket: exchange.bucket, rules });
  return { status: 200 };
};

export const deleteBucketLifecycle: Operation = ({ bucket, store }) => {
  store.record({ type: "lifecycle-set", bucket, rules: [] });
  return { status: 204 };
};
