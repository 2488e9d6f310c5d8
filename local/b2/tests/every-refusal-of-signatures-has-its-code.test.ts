import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StoreUnderTest } from "./running-store.ts";
import { ADMIN, BUCKET, clientFor, expectRefusal, startStore } from "./running-store.ts";

let store: StoreUnderTest;
const key = "calls/one.txt";

beforeAll(async () => {
  store = await startStore();
  const put = await store.send(store.url(key), { method: "PUT", body: "hello" });
  expect(put.status).toBe(200);
});
afterAll(() => store.remove());

/** `YYYYMMDDTHHMMSSZ`, some seconds away from now. */
const timestamp = (seconds: number) =>
  new Date(Date.now() + seconds * 1000).toISOString().replace(/[:-]|\.\d{3}/g, "");

async function presigned(
  method = "GET",
  query: Record<string, string> = {},
  datetime?: string,
): Promise<URL> {
  const url = new URL(store.url(key));
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const aws = { signQuery: true, ...(datetime === undefined ? {} : { datetime }) };
  return new URL((await clientFor(ADMIN).sign(url, { method, aws })).url);
}

async function signed(init: RequestInit & { aws?: { datetime?: string; allHeaders?: boolean } } = {}) {
  return clientFor(ADMIN).sign(store.url(key), init);
}

/** A signed request with some headers changed after signing. */
async function withHeaders(change: Record<string, string | undefined>): Promise<Response> {
  const request = await signed();
  const headers = new Headers(request.headers);
  for (const [name, value] of Object.entries(change)) {
    if (value === undefined) headers.delete(name);
    else headers.set(name, value);
  }
  return fetch(request.url, { headers });
}

describe("a signed request", () => {
  test("is served when everything is right", async () => {
    const response = await store.send(store.url(key));
    expect(await response.text()).toBe("hello");
  });

  test("is AccessDenied without any authentication", async () => {
    await expectRefusal(fetch(store.url(key)), 403, "AccessDenied", "Access Denied");
  });

  test("is SignatureDoesNotMatch with a wrong secret", async () => {
    const client = clientFor({ ...ADMIN, applicationKey: "K005wrong" });
    await expectRefusal(
      client.fetch(store.url(key)),
      403,
      "SignatureDoesNotMatch",
      "Signature validation failed",
    );
  });

  test("is InvalidAccessKeyId with an unknown key, and with the master key's form of id", async () => {
    const unknown = { ...ADMIN, keyId: "0059999999999999999999999" };
    await expectRefusal(
      clientFor(unknown).fetch(store.url(key)),
      403,
      "InvalidAccessKeyId",
      "The key '0059999999999999999999999' is not valid",
    );
    const master = clientFor({ ...ADMIN, keyId: "15f935cf4dcb" });
    await expectRefusal(master.fetch(store.url(key)), 403, "InvalidAccessKeyId", "Malformed Access Key Id");
  });

  test("is SignatureDoesNotMatch when the path was changed", async () => {
    const request = await signed();
    await expectRefusal(fetch(`${request.url}x`, { headers: request.headers }), 403, "SignatureDoesNotMatch");
  });

  test("is SignatureDoesNotMatch when the query was changed", async () => {
    const request = await signed();
    await expectRefusal(
      fetch(`${request.url}?response-content-type=text/html`, { headers: request.headers }),
      403,
      "SignatureDoesNotMatch",
    );
  });

  test("is SignatureDoesNotMatch when the verb was changed", async () => {
    const request = await signed();
    await expectRefusal(
      fetch(request.url, { method: "DELETE", headers: request.headers }),
      403,
      "SignatureDoesNotMatch",
    );
  });

  test("is SignatureDoesNotMatch when a signed header was changed", async () => {
    const request = await signed({ headers: { range: "bytes=0-1" }, aws: { allHeaders: true } });
    const headers = new Headers(request.headers);
    headers.set("range", "bytes=0-3");
    await expectRefusal(fetch(request.url, { headers }), 403, "SignatureDoesNotMatch");
  });

  test("is AccessDenied when an x-amz header was added after signing", async () => {
    await expectRefusal(
      withHeaders({ "x-amz-meta-added": "1" }),
      403,
      "AccessDenied",
      "There were headers present in the request which were not signed",
    );
  });

  test("is AccessDenied when host is not among the signed headers", async () => {
    const { headers } = await signed();
    const authorization =
      headers.get("authorization")?.replace("SignedHeaders=host;", "SignedHeaders=") ?? "";
    await expectRefusal(withHeaders({ authorization }), 403, "AccessDenied", /not signed/);
  });

  test("is AuthorizationHeaderMalformed for another region, naming the right one", async () => {
    await expectRefusal(
      clientFor(ADMIN, "us-west-004").fetch(store.url(key)),
      400,
      "AuthorizationHeaderMalformed",
      "The authorization header is malformed; the region 'us-west-004' is wrong; expecting 'us-east-005'",
    );
  });

  test("is AuthorizationHeaderMalformed for another service", async () => {
    const client = clientFor(ADMIN, "us-east-005", "s4");
    await expectRefusal(
      client.fetch(store.url(key)),
      400,
      "AuthorizationHeaderMalformed",
      /incorrect service "s4"/,
    );
  });

  test("is AuthorizationHeaderMalformed with a component missing, or a scope of another day", async () => {
    const { headers } = await signed();
    const authorization = headers.get("authorization") ?? "";
    await expectRefusal(
      withHeaders({ authorization: authorization.replace(/, Signature=.*/, "") }),
      400,
      "AuthorizationHeaderMalformed",
    );
    await expectRefusal(
      withHeaders({ authorization: authorization.replace(/\/\d{8}\//, "/20200101/") }),
      400,
      "AuthorizationHeaderMalformed",
      /Invalid credential date "20200101"/,
    );
    await expectRefusal(
      withHeaders({ authorization: authorization.replace("/aws4_request", "") }),
      400,
      "AuthorizationHeaderMalformed",
      /mal-formed/,
    );
  });

  // The clock goes on until the store reads it: what lies ahead is signed with room.
  test.each([-901, 960])("is RequestTimeTooSkewed when the clock is off by %i s", async (seconds) => {
    const request = await signed({ aws: { datetime: timestamp(seconds) } });
    await expectRefusal(fetch(request), 403, "RequestTimeTooSkewed");
  });

  test.each([-890, 890])("is served when the clock is off by %i s only", async (seconds) => {
    const request = await signed({ aws: { datetime: timestamp(seconds) } });
    expect((await fetch(request)).status).toBe(200);
  });

  test("is InvalidRequest for Signature Version 2 and without x-amz-content-sha256", async () => {
    await expectRefusal(
      withHeaders({ authorization: "AWS 005:c2ln" }),
      400,
      "InvalidRequest",
      /AWS4-HMAC-SHA256/,
    );
    await expectRefusal(
      withHeaders({ "x-amz-content-sha256": undefined }),
      400,
      "InvalidRequest",
      "Missing required header for this request: x-amz-content-sha256",
    );
  });

  test("is InvalidArgument with a body hash that is none, NotImplemented with a streaming one", async () => {
    await expectRefusal(withHeaders({ "x-amz-content-sha256": "abc" }), 400, "InvalidArgument");
    await expectRefusal(
      withHeaders({ "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER" }),
      501,
      "NotImplemented",
    );
  });

  test("is AccessDenied without a usable date", async () => {
    await expectRefusal(
      withHeaders({ "x-amz-date": undefined }),
      403,
      "AccessDenied",
      /valid Date or x-amz-date/,
    );
  });

  test("is InvalidToken with a session token, which B2 does not have", async () => {
    await expectRefusal(withHeaders({ "x-amz-security-token": "t" }), 400, "InvalidToken");
  });
});

describe("a presigned URL", () => {
  test("is served until it ends", async () => {
    const response = await fetch(await presigned("GET", { "X-Amz-Expires": "60" }, timestamp(-50)));
    expect(await response.text()).toBe("hello");
  });

  test("is AccessDenied after its end", async () => {
    const url = await presigned("GET", { "X-Amz-Expires": "60" }, timestamp(-62));
    await expectRefusal(fetch(url), 403, "AccessDenied", "Request has expired");
  });

  test("may live seven days, and is AuthorizationQueryParametersError beyond", async () => {
    expect((await fetch(await presigned("GET", { "X-Amz-Expires": "604800" }))).status).toBe(200);
    await expectRefusal(
      fetch(await presigned("GET", { "X-Amz-Expires": "604801" })),
      400,
      "AuthorizationQueryParametersError",
      /must be less than a week/,
    );
  });

  test.each(["-1", "soon"])("is AuthorizationQueryParametersError with a life of %s", async (expires) => {
    const url = await presigned("GET", { "X-Amz-Expires": expires });
    await expectRefusal(fetch(url), 400, "AuthorizationQueryParametersError");
  });

  test("is AccessDenied when it was signed too far in the future", async () => {
    await expectRefusal(
      fetch(await presigned("GET", {}, timestamp(901))),
      403,
      "AccessDenied",
      "Request is not valid yet",
    );
  });

  test("is SignatureDoesNotMatch for another verb: a GET URL is no HEAD URL", async () => {
    const url = await presigned("GET");
    expect((await fetch(url, { method: "HEAD" })).status).toBe(403);
    expect((await fetch(await presigned("HEAD"), { method: "HEAD" })).status).toBe(200);
    await expectRefusal(fetch(url, { method: "DELETE" }), 403, "SignatureDoesNotMatch");
  });

  test("is SignatureDoesNotMatch when path, life or an override was changed", async () => {
    const url = await presigned("GET", { "X-Amz-Expires": "60", "response-content-type": "video/mp4" });
    const changed = (change: (copy: URL) => void) => {
      const copy = new URL(url);
      change(copy);
      return fetch(copy);
    };
    await expectRefusal(
      changed((copy) => copy.searchParams.set("X-Amz-Expires", "61")),
      403,
      "SignatureDoesNotMatch",
    );
    await expectRefusal(
      changed((copy) => copy.searchParams.set("response-content-type", "text/html")),
      403,
      "SignatureDoesNotMatch",
    );
    await expectRefusal(
      changed((copy) => {
        copy.pathname = `/${BUCKET}/calls/two.txt`;
      }),
      403,
      "SignatureDoesNotMatch",
    );
    const other = (await fetch(url)).headers.get("content-type");
    expect(other).toBe("video/mp4");
  });

  test.each(["X-Amz-Signature", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Credential", "X-Amz-Expires"])(
    "is AuthorizationQueryParametersError without %s",
    async (name) => {
      const url = await presigned();
      url.searchParams.delete(name);
      await expectRefusal(
        fetch(url),
        400,
        "AuthorizationQueryParametersError",
        /requires the X-Amz-Algorithm/,
      );
    },
  );

  test("is AuthorizationQueryParametersError for another region or algorithm", async () => {
    const elsewhere = await clientFor(ADMIN, "eu-central-003").sign(store.url(key), {
      aws: { signQuery: true },
    });
    await expectRefusal(
      fetch(elsewhere.url),
      400,
      "AuthorizationQueryParametersError",
      /expecting 'us-east-005'/,
    );
    const url = await presigned();
    url.searchParams.set("X-Amz-Algorithm", "AWS4-HMAC-SHA1");
    await expectRefusal(fetch(url), 400, "AuthorizationQueryParametersError", /only supports/);
  });

  test("is InvalidArgument together with an Authorization header", async () => {
    const { headers } = await signed();
    await expectRefusal(
      fetch(await presigned(), { headers }),
      400,
      "InvalidArgument",
      /Only one auth mechanism/,
    );
  });

  test("is InvalidRequest in the form of Signature Version 2", async () => {
    const url = `${store.url(key)}?AWSAccessKeyId=x&Expires=1&Signature=c2ln`;
    await expectRefusal(fetch(url), 400, "InvalidRequest", /AWS4-HMAC-SHA256/);
  });

  test("for PUT binds a signed content-length", async () => {
    const url = new URL(store.url("bound.txt"));
    const request = await clientFor(ADMIN).sign(url, {
      method: "PUT",
      headers: { "content-length": "5" },
      aws: { signQuery: true, allHeaders: true },
    });
    expect((await fetch(request.url, { method: "PUT", body: "12345" })).status).toBe(200);
    await expectRefusal(fetch(request.url, { method: "PUT", body: "123456" }), 403, "SignatureDoesNotMatch");
  });
});
