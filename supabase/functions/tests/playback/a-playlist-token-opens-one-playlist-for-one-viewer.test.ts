import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { readPlaylistToken, signPlaylistToken } from "../../_shared/playback/token.ts";
import { RECORDING_ID } from "../jobs/jobs-for-tests.ts";

const VIEWER_ID = "44444444-4444-4444-8444-444444444444";
const SECRETS = ["the secret of the playlist tokens"];
const NOW = 1_795_370_400;
const CONTENT = { recordingId: RECORDING_ID, viewerId: VIEWER_ID, expiresAtSeconds: NOW + 900 };
const TOKEN = signPlaylistToken(CONTENT, SECRETS);

Deno.test("a token tells what it was signed for, and stands in an address as it is", () => {
  assert.deepEqual(readPlaylistToken(TOKEN, SECRETS, NOW), CONTENT);
  assert.equal(encodeURIComponent(TOKEN), TOKEN);
});

Deno.test("a token with any one byte off, to any other value, is refused", () => {
  let tried = 0;
  for (let at = 0; at < TOKEN.length; at++) {
    for (let byte = 0; byte < 256; byte++) {
      if (byte === TOKEN.charCodeAt(at)) continue;
      tried += 1;
      const forged = TOKEN.slice(0, at) + String.fromCharCode(byte) + TOKEN.slice(at + 1);
      assert.equal(readPlaylistToken(forged, SECRETS, NOW), undefined, forged);
    }
  }
  assert.equal(tried, TOKEN.length * 255);
});

Deno.test("a token that is shorter, longer or torn is refused", () => {
  const [body = "", signature = ""] = TOKEN.split(".");
  const torn = [
    "",
    ".",
    body,
    signature,
    `${body}.`,
    `.${signature}`,
    `${signature}.${body}`,
    `${TOKEN}A`,
    `A${TOKEN}`,
  ];
  for (const text of [
    ...torn,
    TOKEN.slice(0, -1),
    TOKEN.slice(1),
    `${TOKEN}.${signature}`,
    `${TOKEN}\n`,
    ` ${TOKEN}`,
  ]) {
    assert.equal(readPlaylistToken(text, SECRETS, NOW), undefined, text);
  }
});

Deno.test("it ends with the second it names", () => {
  assert.ok(readPlaylistToken(TOKEN, SECRETS, NOW + 899));
  assert.equal(readPlaylistToken(TOKEN, SECRETS, NOW + 900), undefined);
});

Deno.test("while a secret is being replaced, both kinds of token hold; the first secret signs", () => {
  const both = ["the next secret of the playlist tokens", ...SECRETS];
  assert.deepEqual(readPlaylistToken(TOKEN, both, NOW), CONTENT);
  const next = signPlaylistToken(CONTENT, both);
  assert.deepEqual(readPlaylistToken(next, both, NOW), CONTENT);
  assert.equal(readPlaylistToken(next, SECRETS, NOW), undefined);
});

Deno.test("without a secret nothing is signed and nothing is believed", () => {
  assert.throws(() => signPlaylistToken(CONTENT, []));
  assert.equal(readPlaylistToken(TOKEN, [], NOW), undefined);
});

const foreign: unknown[] = [
  null,
  {},
  [],
  "text",
  [RECORDING_ID, VIEWER_ID],
  [RECORDING_ID, VIEWER_ID, String(NOW + 900)],
  [RECORDING_ID, VIEWER_ID, NOW + 900, "more"],
  [RECORDING_ID, "somebody", NOW + 900],
  [RECORDING_ID, VIEWER_ID, NOW + 900.5],
  [{ toString: "x" }, VIEWER_ID, NOW + 900],
];
for (const text of [...foreign.map((json) => JSON.stringify(json)), "not JSON", ""]) {
  Deno.test(`our signature under ${text || "nothing"} is no token`, () => {
    const body = Buffer.from(text).toString("base64url");
    const signature = createHmac("sha256", SECRETS[0] ?? "")
      .update(`playlist.${body}`)
      .digest("base64url");
    assert.equal(readPlaylistToken(`${body}.${signature}`, SECRETS, NOW), undefined);
  });
}

Deno.test("a signature made for something else than a playlist does not fit", () => {
  const body = TOKEN.split(".")[0] ?? "";
  const signature = createHmac("sha256", SECRETS[0] ?? "")
    .update(body)
    .digest("base64url");
  assert.equal(readPlaylistToken(`${body}.${signature}`, SECRETS, NOW), undefined);
});
