import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { inflateSync } from "node:zlib";
import { buildRtcToken, type RtcTokenRequest } from "../../_shared/agora/token.ts";
import { RecorderFailure } from "../../_shared/errors.ts";
import fixture from "../fixtures/agora/token-vectors.json" with { type: "json" };

const REQUEST: RtcTokenRequest = {
  appId: fixture.appId,
  appCertificate: fixture.appCertificate,
  channel: fixture.channel,
  uid: 2882341273,
  role: "subscriber",
  expiresInSeconds: fixture.expiresInSeconds,
  issuedAtSeconds: fixture.issuedAtSeconds,
  salt: fixture.salt,
};

function inflated(token: string): string {
  assert.equal(token.slice(0, 3), "007");
  return inflateSync(Buffer.from(token.slice(3), "base64")).toString("hex");
}

for (const { name, uid, role, token } of fixture.vectors) {
  Deno.test(`Agora's own vector: ${name}`, async () => {
    assert.ok(role === "subscriber" || role === "publisher");
    assert.equal(inflated(await buildRtcToken({ ...REQUEST, uid, role })), inflated(token));
  });
}

Deno.test("the packed bytes are those of the specification", async () => {
  assert.equal(inflated(await buildRtcToken(REQUEST)), fixture.inflatedHexOfFirst);
});

Deno.test("a uid as text and as a number give the same token", async () => {
  assert.equal(await buildRtcToken({ ...REQUEST, uid: "2882341273" }), await buildRtcToken(REQUEST));
});

Deno.test("the compression is zlib's, which begins with 78", async () => {
  const token = await buildRtcToken(REQUEST);
  assert.equal(Buffer.from(token.slice(3), "base64")[0], 0x78);
});

const REFUSED: [string, Partial<RtcTokenRequest>, string][] = [
  ["an App ID of 31 digits", { appId: fixture.appId.slice(1) }, "engine_settings_invalid"],
  ["an App ID with another letter", { appId: `g${fixture.appId.slice(1)}` }, "engine_settings_invalid"],
  ["an empty certificate", { appCertificate: "" }, "engine_settings_invalid"],
  ["an empty channel", { channel: "" }, "channel_name_invalid"],
  ["a channel of 64 bytes", { channel: "x".repeat(64) }, "channel_name_invalid"],
  ['the text "0" as uid, which would be a user of its own', { uid: "0" }, "engine_request_invalid"],
  ["a uid above 32 bits", { uid: 4_294_967_296 }, "engine_request_invalid"],
  ["a user account", { uid: "alice" }, "engine_request_invalid"],
  ["more than 24 hours", { expiresInSeconds: 86_401 }, "engine_request_invalid"],
  ["no time at all", { expiresInSeconds: 0 }, "engine_request_invalid"],
  ["milliseconds for the time of issue", { issuedAtSeconds: 1_700_000_000_000 }, "engine_request_invalid"],
  ["a salt of 0", { salt: 0 }, "engine_request_invalid"],
];

for (const [what, change, code] of REFUSED) {
  Deno.test(`no token is made for ${what}`, async () => {
    await assert.rejects(
      buildRtcToken({ ...REQUEST, ...change }),
      (thrown) =>
        thrown instanceof RecorderFailure &&
        thrown.error.code === code &&
        !JSON.stringify(thrown.error).includes(fixture.appCertificate),
    );
  });
}

Deno.test("24 hours are allowed", async () => {
  assert.match(await buildRtcToken({ ...REQUEST, expiresInSeconds: 86_400 }), /^007/);
});
