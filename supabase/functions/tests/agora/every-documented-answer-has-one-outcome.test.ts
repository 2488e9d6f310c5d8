import assert from "node:assert/strict";
import { refusalBody } from "../../_shared/agora/answers.ts";
import type { AgoraClient } from "../../_shared/agora/client.ts";
import { ENGINE_ERRORS } from "../../_shared/agora/errors.ts";
import { OUTCOME_RULES, ruleFor } from "../../_shared/agora/outcomes.ts";
import outcomes from "../fixtures/agora/outcomes.json" with { type: "json" };
import { ACQUIRE, QUERY, START, STOP, UPDATE_LAYOUT } from "./requests-for-tests.ts";
import { scriptedEngine } from "./scripted-engine.ts";

const CALLS = new Map<string, (client: AgoraClient) => Promise<{ outcome: string; error?: unknown }>>([
  ["acquire", (client) => client.acquire(ACQUIRE)],
  ["start", (client) => client.start(START)],
  ["query", (client) => client.query(QUERY)],
  ["updateLayout", (client) => client.updateLayout(UPDATE_LAYOUT)],
  ["stop", (client) => client.stop(STOP)],
]);

for (const answer of outcomes.answers) {
  const said = answer.body === null ? "without a readable body" : JSON.stringify(answer.body).slice(0, 90);
  Deno.test(`${answer.call}: HTTP ${answer.http} ${said} means ${answer.outcome} ${answer.error ?? ""}`, async () => {
    const { client, sent } = scriptedEngine([
      { http: answer.http, ...(answer.body === null ? {} : { body: answer.body }) },
    ]);
    const call = CALLS.get(answer.call);
    assert.ok(call);
    const result = await call(client);
    assert.equal(result.outcome, answer.outcome);
    assert.equal(sent.length, 1, "an answer is never asked for twice by the client");
    if (answer.error === undefined) {
      assert.equal(result.error, undefined);
    } else {
      const { code, blame, retry } = result.error as { code: string; blame: string; retry: string };
      assert.deepEqual(
        { code, blame, retry },
        { code: answer.error, blame: answer.blame, retry: answer.retry },
      );
    }
  });
}

Deno.test("no rule of the table is dead: each decides at least one of these answers", () => {
  for (const call of ["acquire", "start", "query", "updateLayout", "stop"] as const) {
    const told = outcomes.answers
      .filter((answer) => answer.call === call)
      .map((answer) => {
        const { code, reason, message } = refusalBody.parse(answer.body ?? {});
        return ruleFor(call, { httpStatus: answer.http, code, says: reason ?? message });
      });
    // No HTTP status is left for the last rule of stop; it only makes the list total.
    const deciding = new Set([...told, ruleFor(call, { httpStatus: 999 })]);
    for (const rule of OUTCOME_RULES[call]) {
      assert.ok(deciding.has(rule), `${call}: ${JSON.stringify(rule)} decides none`);
    }
  }
});

Deno.test("a refused login says which pair of credentials is wanted", async () => {
  const { client } = scriptedEngine([{ http: 401, body: { message: "Invalid authentication credentials" } }]);
  const result = await client.acquire(ACQUIRE);
  assert.ok(result.outcome === "refused");
  assert.match(result.error.message, /Customer ID and the Customer Secret/);
  assert.match(result.error.message, /not the App ID and the App Certificate/);
});

Deno.test("a rate limit passes on how long Agora wants us to wait", async () => {
  const { client } = scriptedEngine([
    { http: 429, body: { message: "API rate limit exceeded" }, headers: { "retry-after": "7" } },
  ]);
  const result = await client.acquire(ACQUIRE);
  assert.ok(result.outcome === "refused");
  assert.equal(result.error.retryAfterMs, 7_000);
});

Deno.test("the detail tells status, code, reason and Agora's request id, and none of our secrets", async () => {
  const reason = `bad customer-7 ${"x".repeat(270)} secret-access-key access-key-id 007token-of-the-recorder secret-of-the-customer`;
  const { client } = scriptedEngine([
    { http: 400, body: { code: 2, reason }, headers: { "x-request-id": "r-1" } },
  ]);
  const result = await client.start(START);
  assert.ok(result.outcome === "refused");
  assert.match(result.error.detail ?? "", /^HTTP 400, code 2, bad/);
  assert.match(result.error.detail ?? "", /request r-1$/);
  assert.doesNotMatch(JSON.stringify(result), /secret-ac|access-key-id|007token|secret-of/);
});

Deno.test("every message is one or more whole sentences for people", () => {
  for (const [code, { message }] of Object.entries(ENGINE_ERRORS)) {
    assert.match(code, /^[a-z]+(?:_[a-z]+)+$/);
    assert.match(message, /^[A-Z].+\.$/, code);
  }
});
