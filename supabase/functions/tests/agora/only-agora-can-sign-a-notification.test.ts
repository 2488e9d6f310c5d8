import assert from "node:assert/strict";
import { verifyAgoraSignature } from "../../_shared/agora/signature.ts";
import fixture from "../fixtures/agora/signature-vectors.json" with { type: "json" };

const bytes = (text: string) => new TextEncoder().encode(text);
const SECRETS = [fixture.secret];

for (const [number, { body, sha1, sha256 }] of fixture.vectors.entries()) {
  Deno.test(`vector ${number + 1} verifies by its newer header, and by its older one where that is asked for`, async () => {
    assert.equal(await verifyAgoraSignature(bytes(body), { v2: sha256 }, SECRETS), true);
    assert.equal(await verifyAgoraSignature(bytes(body), { v1: sha1 }, SECRETS, { acceptSha1: true }), true);
  });
}

const [{ body, sha1, sha256 } = { body: "", sha1: "", sha256: "" }] = fixture.vectors;

Deno.test("the hex may be in capitals", async () => {
  assert.equal(await verifyAgoraSignature(bytes(body), { v2: sha256.toUpperCase() }, SECRETS), true);
});

Deno.test("during a rotation the old and the new secret both fit", async () => {
  assert.equal(await verifyAgoraSignature(bytes(body), { v2: sha256 }, ["new", fixture.secret]), true);
  assert.equal(await verifyAgoraSignature(bytes(body), { v2: sha256 }, [fixture.secret, "new"]), true);
});

const REFUSED: [string, Parameters<typeof verifyAgoraSignature>][] = [
  ["without any header", [bytes(body), {}, SECRETS]],
  ["with empty headers", [bytes(body), { v1: "", v2: "" }, SECRETS]],
  ["with the older header alone", [bytes(body), { v1: sha1 }, SECRETS]],
  ["with another secret", [bytes(body), { v2: sha256 }, ["other"]]],
  ["without any secret", [bytes(body), { v2: sha256 }, []]],
  ["with one byte more in the body", [bytes(`${body} `), { v2: sha256 }, SECRETS]],
  [
    "with the same JSON in another order",
    [bytes(JSON.stringify({ productId: 1, ...JSON.parse(body) })), { v2: sha256 }, SECRETS],
  ],
  ["with half a signature", [bytes(body), { v2: sha256.slice(0, 32) }, SECRETS]],
  ["with a signature that is not hex", [bytes(body), { v2: "z".repeat(64) }, SECRETS]],
  ["with the older hash in the newer header", [bytes(body), { v2: sha1 }, SECRETS, { acceptSha1: true }]],
  [
    "with a wrong newer header beside a right older one",
    [bytes(body), { v1: sha1, v2: "0".repeat(64) }, SECRETS, { acceptSha1: true }],
  ],
];

for (const [how, args] of REFUSED) {
  Deno.test(`a notification ${how} is not Agora's`, async () => {
    assert.equal(await verifyAgoraSignature(...args), false);
  });
}

Deno.test("an empty secret verifies nothing, not even what was signed with it", async () => {
  const signedWithNothing = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
  assert.equal(await verifyAgoraSignature(bytes(""), { v2: signedWithNothing }, [""]), false);
});
