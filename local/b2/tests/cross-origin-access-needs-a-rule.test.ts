import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { quietLog } from "../../stack/part.ts";
import { startB2 } from "../server.ts";
import type { StoreUnderTest } from "./running-store.ts";
import {
  ADMIN,
  BUCKET,
  clientFor,
  expectRefusal,
  OTHER_BUCKET,
  settingsFor,
  startStore,
  texts,
} from "./running-store.ts";

const portal = "http://127.0.0.1:3000";
let store: StoreUnderTest;
beforeAll(async () => {
  store = await startStore({
    buckets: [
      {
        name: BUCKET,
        corsRules: [
          {
            allowedOrigins: [portal, "https://*.example.org"],
            allowedMethods: ["GET", "HEAD"],
            allowedHeaders: ["range", "x-custom-*"],
            exposeHeaders: ["ETag", "Content-Range"],
            maxAgeSeconds: 3600,
          },
        ],
      },
      { name: OTHER_BUCKET },
    ],
    keys: [
      {
        keyId: "0050000000000000000000002",
        applicationKey: "K005other",
        bucket: OTHER_BUCKET,
        capabilities: ["readFiles"],
      },
    ],
  });
  await store.send(store.url("seg.ts"), { method: "PUT", body: "media" });
});
afterAll(() => store.remove());

const preflight = (headers: Record<string, string>, bucket = BUCKET) =>
  fetch(store.url("seg.ts", bucket), { method: "OPTIONS", headers });
const asks = (origin: string, method = "GET", headers = "Range") => ({
  origin,
  "access-control-request-method": method,
  "access-control-request-headers": headers,
});

describe("a preflight", () => {
  test("is granted by a rule that covers origin, method and headers", async () => {
    const answer = await preflight(asks(portal));
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "access-control-allow-origin": portal,
      "access-control-allow-methods": "GET, HEAD",
      "access-control-allow-headers": "range",
      "access-control-expose-headers": "ETag, Content-Range",
      "access-control-max-age": "3600",
    });
    expect((await preflight(asks("https://app.example.org", "HEAD", "X-Custom-One"))).status).toBe(200);
  });

  test("is AccessForbidden for another origin, method or header, and carries no permission", async () => {
    for (const headers of [
      asks("http://evil.test"),
      asks(portal, "PUT"),
      asks(portal, "GET", "range, authorization"),
    ]) {
      const answer = await preflight(headers);
      expect(answer.headers.get("access-control-allow-origin")).toBeNull();
      await expectRefusal(answer, 403, "AccessForbidden");
    }
  });

  test("is AccessForbidden in a bucket without rules, and InvalidRequest without an origin", async () => {
    await expectRefusal(preflight(asks(portal), OTHER_BUCKET), 403, "AccessForbidden", /CORS is not enabled/);
    await expectRefusal(preflight({ "access-control-request-method": "GET" }), 400, "InvalidRequest");
  });
});

describe("a download", () => {
  const download = async (origin: string, key = "seg.ts") => {
    const signed = await clientFor(ADMIN).sign(store.url(key), { aws: { signQuery: true } });
    return fetch(signed.url, { headers: { origin } });
  };

  test("carries permission for an origin a rule covers, on errors too", async () => {
    const answer = await download(portal);
    expect(answer.headers.get("access-control-allow-origin")).toBe(portal);
    expect(answer.headers.get("access-control-expose-headers")).toBe("ETag, Content-Range");
    expect(answer.headers.get("vary")).toContain("Origin");
    const missing = await download(portal, "missing");
    expect([missing.status, missing.headers.get("access-control-allow-origin")]).toEqual([404, portal]);
  });

  test("carries none for another origin", async () => {
    const answer = await download("http://evil.test");
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([200, null]);
  });
});

describe("rules set over the API", () => {
  const body = `<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>
    <AllowedMethod>PUT</AllowedMethod><AllowedHeader>*</AllowedHeader><MaxAgeSeconds>60</MaxAgeSeconds></CORSRule></CORSConfiguration>`;

  test("replace the bucket's, survive a restart, and can be removed", async () => {
    const other = await startStore();
    try {
      await expectRefusal(other.send(`/${BUCKET}?cors`), 404, "NoSuchCORSConfiguration");
      expect((await other.send(`/${BUCKET}?cors`, { method: "PUT", body })).status).toBe(200);
      await other.stop();
      const again = await startB2(settingsFor(other.dataDir), quietLog);
      try {
        const admin = clientFor(ADMIN);
        const url = `${again.address}/${BUCKET}?cors`;
        expect(texts(await (await admin.fetch(url)).text(), "AllowedMethod")).toEqual(["GET", "PUT"]);
        const answer = await fetch(`${again.address}/${BUCKET}/x`, {
          method: "OPTIONS",
          headers: asks("http://any.test"),
        });
        expect(answer.headers.get("access-control-allow-origin")).toBe("*");
        expect((await admin.fetch(url, { method: "DELETE" })).status).toBe(204);
        await expectRefusal(admin.fetch(url), 404, "NoSuchCORSConfiguration");
      } finally {
        await again.stop();
      }
    } finally {
      await other.remove();
    }
  });

  test.each([
    ["an empty origin", body.replace("*</AllowedOrigin>", "</AllowedOrigin>"), "InvalidArgument"],
    ["an unknown method", body.replace("PUT", "PATCH"), "InvalidArgument"],
    ["more than a day of caching", body.replace("60", "86401"), "InvalidArgument"],
    ["no rule element", "<CORSConfiguration></CORSConfiguration>", "MalformedXML"],
  ])("are refused with %s", async (_case, wrong, code) => {
    await expectRefusal(store.send(`/${BUCKET}?cors`, { method: "PUT", body: wrong }), 400, code);
  });
});

describe("lifecycle rules", () => {
  const rule = (inner: string) =>
    `<LifecycleConfiguration><Rule><ID>r1</ID><Filter><Prefix>calls/</Prefix></Filter><Status>Enabled</Status>${inner}</Rule></LifecycleConfiguration>`;
  const set = (body: string) => store.send(`/${BUCKET}?lifecycle`, { method: "PUT", body });

  test("are stored and given back until they are deleted", async () => {
    await expectRefusal(store.send(`/${BUCKET}?lifecycle`), 404, "NoSuchLifecycleConfiguration");
    const body = rule(
      "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration><AbortIncompleteMultipartUpload><DaysAfterInitiation>2</DaysAfterInitiation></AbortIncompleteMultipartUpload>",
    );
    expect((await set(body)).status).toBe(200);
    const xml = await (await store.send(`/${BUCKET}?lifecycle`)).text();
    expect([texts(xml, "NoncurrentDays"), texts(xml, "DaysAfterInitiation"), texts(xml, "Prefix")]).toEqual([
      ["1"],
      ["2"],
      ["calls/"],
    ]);
    expect((await store.send(`/${BUCKET}?lifecycle`, { method: "DELETE" })).status).toBe(204);
    await expectRefusal(store.send(`/${BUCKET}?lifecycle`), 404, "NoSuchLifecycleConfiguration");
  });

  test("are refused with less than a day, or with what B2 has no rule for", async () => {
    await expectRefusal(set(rule("<Expiration><Days>0</Days></Expiration>")), 400, "InvalidArgument");
    await expectRefusal(set(rule("<Transition><Days>1</Days></Transition>")), 400, "MalformedXML");
  });
});
