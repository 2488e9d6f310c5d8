import { describe, expect, it } from "vitest";
import { S3Error } from "../errors.ts";
import { parseTarget } from "../request-target.ts";
import { verifySignature } from "../sigv4.ts";

// The examples of the S3 API reference, "Signature Calculations": fixed keys, 24 May 2013.
const KEY_ID = "AKIAIOSFODNN7EXAMPLE";
const SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const HOST = "examplebucket.s3.amazonaws.com";
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const rules = {
  region: "us-east-1",
  nowMs: Date.parse("2013-05-24T00:00:00Z"),
  clockSkewSeconds: 900,
  secretOf: (keyId: string) => (keyId === KEY_ID ? SECRET : undefined),
};

function request(method: string, url: string, headers: Record<string, string>) {
  const { rawPath, query } = parseTarget(url);
  const lists = Object.entries({ host: HOST, ...headers }).map(([name, value]) => [name, [value]]);
  return { method, rawPath, query, headers: Object.fromEntries(lists) as Record<string, string[]> };
}

function signedBy(signedHeaders: string, signature: string): string {
  return `AWS4-HMAC-SHA256 Credential=${KEY_ID}/20130524/us-east-1/s3/aws4_request,SignedHeaders=${signedHeaders},Signature=${signature}`;
}

const date = { "x-amz-date": "20130524T000000Z" };
const examples = {
  "GET object with a range": request("GET", "/test.txt", {
    range: "bytes=0-9",
    "x-amz-content-sha256": EMPTY,
    ...date,
    authorization: signedBy(
      "host;range;x-amz-content-sha256;x-amz-date",
      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    ),
  }),
  "PUT object": request("PUT", "/test$file.text", {
    date: "Fri, 24 May 2013 00:00:00 GMT",
    ...date,
    "x-amz-storage-class": "REDUCED_REDUNDANCY",
    "x-amz-content-sha256": "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
    authorization: signedBy(
      "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    ),
  }),
  "GET bucket lifecycle": request("GET", "/?lifecycle", {
    "x-amz-content-sha256": EMPTY,
    ...date,
    authorization: signedBy(
      "host;x-amz-content-sha256;x-amz-date",
      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    ),
  }),
  "GET bucket (list objects)": request("GET", "/?max-keys=2&prefix=J", {
    "x-amz-content-sha256": EMPTY,
    ...date,
    authorization: signedBy(
      "host;x-amz-content-sha256;x-amz-date",
      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    ),
  }),
  "presigned GET": request(
    "GET",
    `/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${KEY_ID}%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404`,
    {},
  ),
};

describe.each(Object.entries(examples))("the documented example %s", (_name, example) => {
  it("verifies", () => {
    expect(verifySignature(example, rules).keyId).toBe(KEY_ID);
  });

  it("does not verify with another verb", () => {
    expect(() => verifySignature({ ...example, method: "DELETE" }, rules)).toThrowError(
      new S3Error("SignatureDoesNotMatch"),
    );
  });

  it("does not verify for another host", () => {
    const headers = { ...example.headers, host: ["other.s3.amazonaws.com"] };
    expect(() => verifySignature({ ...example, headers }, rules)).toThrowError(
      new S3Error("SignatureDoesNotMatch"),
    );
  });
});
