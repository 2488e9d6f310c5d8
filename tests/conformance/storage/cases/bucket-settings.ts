import assert from "node:assert/strict";
import type { Case } from "../case.ts";
import { documentIn, type Target } from "../target.ts";

const ORIGIN = "https://app.example";
const CORS = `<CORSConfiguration><CORSRule><AllowedOrigin>${ORIGIN}</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>HEAD</AllowedMethod><AllowedHeader>range</AllowedHeader><ExposeHeader>Content-Range</ExposeHeader><MaxAgeSeconds>3600</MaxAgeSeconds></CORSRule></CORSConfiguration>`;
const LIFECYCLE = `<LifecycleConfiguration><Rule><ID>tidy</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status><NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration><AbortIncompleteMultipartUpload><DaysAfterInitiation>2</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule></LifecycleConfiguration>`;

/** Sets one of the bucket's documents, uses it, and puts back what was there. */
async function withSetting(target: Target, name: string, body: string, use: () => Promise<void>) {
  const query = { [name]: "" };
  const before = await target.raw({ query });
  const kept = before.ok ? await before.text() : undefined;
  const md5 = async (text: string) => {
    const { createHash } = await import("node:crypto");
    return createHash("md5").update(text).digest("base64");
  };
  const set = async (text: string) =>
    target.raw({ method: "PUT", query, headers: { "content-md5": await md5(text) }, body: text });
  assert.equal((await set(body)).status, 200);
  try {
    await use();
  } finally {
    if (kept === undefined) await target.raw({ method: "DELETE", query });
    else await set(kept);
  }
}

export const BUCKET_CASES: Case[] = [
  {
    name: "a browser may read where a CORS rule lets it, by preflight and by presigned URL",
    holds: "s3",
    configures: true,
    async run(target) {
      const { client, key, presigner, url } = target;
      await client.put(key("cors"), "hello", { contentType: "text/plain" });
      await withSetting(target, "cors", CORS, async () => {
        const asks = { "access-control-request-method": "GET", "access-control-request-headers": "range" };
        const preflight = await fetch(url("cors"), {
          method: "OPTIONS",
          headers: { origin: ORIGIN, ...asks },
        });
        assert.equal(preflight.status, 200);
        assert.equal(preflight.headers.get("access-control-allow-origin"), ORIGIN);
        const signed = presigner.presignGet(key("cors"), { expiresInSeconds: 60, signedAt: new Date() });
        const read = await fetch(signed, { headers: { origin: ORIGIN, range: "bytes=0-1" } });
        assert.equal(read.headers.get("access-control-allow-origin"), ORIGIN);
        assert.match(read.headers.get("access-control-expose-headers") ?? "", /content-range/i);
        const foreign = await fetch(signed, { headers: { origin: "https://elsewhere.example" } });
        assert.equal(foreign.headers.get("access-control-allow-origin"), null);
        const refused = { origin: "https://elsewhere.example", ...asks };
        assert.equal((await fetch(url("cors"), { method: "OPTIONS", headers: refused })).status, 403);
      });
    },
  },
  {
    name: "lifecycle rules for hidden versions and unfinished uploads are taken and given back",
    holds: "s3",
    configures: true,
    async run(target) {
      await withSetting(target, "lifecycle", LIFECYCLE, async () => {
        const told = JSON.stringify(await documentIn(await target.raw({ query: { lifecycle: "" } })));
        assert.match(told, /"NoncurrentDays":"1"/);
        assert.match(told, /"DaysAfterInitiation":"2"/);
      });
    },
  },
];
