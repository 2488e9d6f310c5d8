import assert from "node:assert/strict";
import { RecorderFailure } from "../../_shared/errors.ts";
import { signStandardWebhook, verifyStandardWebhook } from "../../_shared/webhooks/standard-webhooks.ts";
import fixture from "../fixtures/webhooks/standard-webhooks.json" with { type: "json" };

const bytes = (text: string) => new TextEncoder().encode(text);
const { id, timestampSeconds, secret, signature } = fixture;
const body = bytes(fixture.body);
const OTHER_SECRET = `whsec_${btoa("another secret of 32 bytes ......")}`;
const HEADERS = {
  "webhook-id": id,
  "webhook-timestamp": String(timestampSeconds),
  "webhook-signature": signature,
};

function verify(
  change: {
    headers?: Partial<Record<keyof typeof HEADERS, string | undefined>>;
    rawBody?: Uint8Array;
    secrets?: string[];
    nowSeconds?: number;
    toleranceSeconds?: number;
  } = {},
) {
  const headers = new Headers();
  for (const [name, value] of Object.entries({ ...HEADERS, ...change.headers })) {
    if (value !== undefined) headers.set(name, value);
  }
  return verifyStandardWebhook({
    rawBody: body,
    secrets: [secret],
    nowSeconds: timestampSeconds,
    ...change,
    headers,
  });
}

Deno.test("the specification's example is signed with the specification's signature", () => {
  assert.deepEqual(signStandardWebhook({ id, timestampSeconds, body, secret }), HEADERS);
});

Deno.test("a signed message is accepted and tells its id and time", () => {
  assert.deepEqual(verify(), { ok: true, id, timestampSeconds });
});

Deno.test("a body that is not text is signed by its bytes", () => {
  const rawBody = Uint8Array.from([0, 255, 13, 10, 128]);
  const headers = signStandardWebhook({ id, timestampSeconds, body: rawBody, secret });
  assert.equal(verify({ headers, rawBody }).ok, true);
  assert.equal(verify({ headers, rawBody: rawBody.slice(1) }).ok, false);
});

Deno.test("during a rotation either secret may have signed", () => {
  assert.equal(verify({ secrets: [OTHER_SECRET, secret] }).ok, true);
  assert.equal(verify({ secrets: [secret, OTHER_SECRET] }).ok, true);
});

Deno.test("one right signature among several is enough, also beside kinds we do not know", () => {
  const wrong = signStandardWebhook({ id, timestampSeconds, body, secret: OTHER_SECRET })[
    "webhook-signature"
  ];
  for (const header of [`${wrong} ${signature}`, `${signature} ${wrong}`, `v1a,AAAA v2,x ${signature}`]) {
    assert.equal(verify({ headers: { "webhook-signature": header } }).ok, true, header);
  }
});

Deno.test("the tolerance holds to the second, on both sides, and can be set", () => {
  assert.equal(verify({ nowSeconds: timestampSeconds + 300 }).ok, true);
  assert.equal(verify({ nowSeconds: timestampSeconds - 300 }).ok, true);
  assert.equal(verify({ nowSeconds: timestampSeconds + 10, toleranceSeconds: 9 }).ok, false);
});

const foreign = signStandardWebhook({ id, timestampSeconds, body, secret: OTHER_SECRET });
const base64 = signature.slice(3);

const REFUSED: [string, Parameters<typeof verify>[0], string][] = [
  ["without id", { headers: { "webhook-id": undefined } }, "id_missing"],
  ["with an empty id", { headers: { "webhook-id": "" } }, "id_missing"],
  ["with a full stop in its id", { headers: { "webhook-id": "a.b" } }, "id_malformed"],
  ["with an endless id", { headers: { "webhook-id": "a".repeat(257) } }, "id_malformed"],
  ["with another id", { headers: { "webhook-id": "msg_other" } }, "signature_wrong"],
  ["without timestamp", { headers: { "webhook-timestamp": undefined } }, "timestamp_missing"],
  ["with words for a timestamp", { headers: { "webhook-timestamp": "now" } }, "timestamp_malformed"],
  [
    "with a leading zero in the timestamp",
    { headers: { "webhook-timestamp": `0${timestampSeconds}` } },
    "timestamp_malformed",
  ],
  [
    "with a fraction in the timestamp",
    { headers: { "webhook-timestamp": `${timestampSeconds}.5` } },
    "timestamp_malformed",
  ],
  [
    "with a sign before the timestamp",
    { headers: { "webhook-timestamp": `+${timestampSeconds}` } },
    "timestamp_malformed",
  ],
  [
    "with another timestamp",
    { headers: { "webhook-timestamp": `${timestampSeconds + 1}` } },
    "signature_wrong",
  ],
  ["in milliseconds", { headers: { "webhook-timestamp": `${timestampSeconds}000` } }, "too_new"],
  ["that is too old", { nowSeconds: timestampSeconds + 301 }, "too_old"],
  ["from the future", { nowSeconds: timestampSeconds - 301 }, "too_new"],
  ["without signature", { headers: { "webhook-signature": undefined } }, "signature_missing"],
  ["without version", { headers: { "webhook-signature": base64 } }, "signature_malformed"],
  [
    "with an asymmetric signature alone",
    { headers: { "webhook-signature": `v1a,${base64}` } },
    "signature_malformed",
  ],
  [
    "with part of a signature",
    { headers: { "webhook-signature": `v1,${base64.slice(0, 8)}` } },
    "signature_malformed",
  ],
  ["with an empty signature", { headers: { "webhook-signature": "v1," } }, "signature_malformed"],
  [
    "with a signature that is not base64",
    { headers: { "webhook-signature": `v1,${"*".repeat(44)}` } },
    "signature_malformed",
  ],
  [
    "with signatures separated by commas",
    { headers: { "webhook-signature": `${signature},${signature}` } },
    "signature_malformed",
  ],
  [
    "with one letter of the signature changed",
    { headers: { "webhook-signature": `v1,h${base64.slice(1)}` } },
    "signature_wrong",
  ],
  [
    "with another secret's signature",
    { headers: { "webhook-signature": foreign["webhook-signature"] } },
    "signature_wrong",
  ],
  ["with another body", { rawBody: bytes('{"test": 2432232315}') }, "signature_wrong"],
  ["with a blank after the body", { rawBody: bytes(`${fixture.body} `) }, "signature_wrong"],
  ["with an empty body", { rawBody: new Uint8Array() }, "signature_wrong"],
];

for (const [how, change, reason] of REFUSED) {
  Deno.test(`a message ${how} is refused: ${reason}`, () => {
    assert.deepEqual(verify(change), { ok: false, reason });
  });
}

const BAD_SECRETS = [
  "",
  "whsec_",
  "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  "whsec_not base64",
  `whsec_${btoa("short")}`,
  `whsec_${btoa("x".repeat(65))}`,
];

for (const bad of BAD_SECRETS) {
  Deno.test(`the secret ${JSON.stringify(bad)} is a mistake in the settings, not a forgery`, () => {
    const isNamed = (thrown: unknown) =>
      thrown instanceof RecorderFailure &&
      thrown.error.code === "webhook_secret_malformed" &&
      thrown.error.blame === "configuration" &&
      (bad.length < 8 || !JSON.stringify(thrown.error).includes(bad));
    assert.throws(() => verify({ secrets: [secret, bad] }), isNamed);
    assert.throws(() => signStandardWebhook({ id, timestampSeconds, body, secret: bad }), isNamed);
  });
}

Deno.test("no secret at all is a mistake in the settings too", () => {
  assert.throws(() => verify({ secrets: [] }), RecorderFailure);
});

Deno.test("what could not be verified is not signed", () => {
  for (const change of [
    { id: "a.b" },
    { id: "" },
    { id: "a b" },
    { timestampSeconds: 1.5 },
    { timestampSeconds: -1 },
  ]) {
    assert.throws(
      () => signStandardWebhook({ id, timestampSeconds, body, secret, ...change }),
      (thrown) => thrown instanceof RecorderFailure && thrown.error.code === "webhook_message_malformed",
    );
  }
});
