import assert from "node:assert/strict";
import { STORE_ERRORS } from "../../_shared/b2/errors.ts";
import { REFUSAL_RULES } from "../../_shared/b2/refusals.ts";
import { RecorderFailure } from "../../_shared/errors.ts";
import fixture from "../fixtures/b2/refusals.json" with { type: "json" };
import { errorXml, objectHeaders, SETTINGS, scriptedStore } from "./scripted-store.ts";

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

function stepOf(answer: { http: number; code?: string; message?: string }) {
  if (answer.code === undefined) return { http: answer.http };
  return { http: answer.http, body: errorXml(answer.code, escaped(answer.message ?? "")) };
}

async function failureOf(work: Promise<unknown>) {
  try {
    await work;
  } catch (thrown) {
    assert.ok(thrown instanceof RecorderFailure, String(thrown));
    return thrown.error;
  }
  throw new assert.AssertionError({ message: "the call should have failed" });
}

for (const answer of fixture.answers) {
  const how = answer.repeats ? "and is tried again" : "and is not tried again";
  Deno.test(`HTTP ${answer.http} ${answer.code ?? "without body"} is ${answer.error} ${how}`, async () => {
    const { client, sent } = scriptedStore([
      stepOf(answer),
      { http: 200, body: "second", headers: objectHeaders(6) },
    ]);
    if (answer.repeats) {
      assert.equal(await client.getText("a", 100), "second");
      assert.equal(sent.length, 2);
    } else {
      const { code, blame, retry, detail } = await failureOf(client.getText("a", 100));
      assert.deepEqual(
        { code, blame, retry },
        { code: answer.error, blame: answer.blame, retry: answer.retry },
      );
      assert.match(detail ?? "", new RegExp(`^HTTP ${answer.http}`));
      assert.equal(sent.length, 1);
    }
  });

  Deno.test(`HTTP ${answer.http} ${answer.code ?? "without body"}, once it has lasted, is told as ${answer.error}`, async () => {
    const { client } = scriptedStore([1, 2, 3, 4].map(() => stepOf(answer)));
    const { code, blame, retry } = await failureOf(client.getText("a", 100));
    assert.deepEqual(
      { code, blame, retry },
      { code: answer.error, blame: answer.blame, retry: answer.retry },
    );
  });
}

Deno.test("every error the rules can give is in the fixture", () => {
  const told = new Set(fixture.answers.map((answer) => answer.error));
  assert.deepEqual(
    REFUSAL_RULES.map((rule) => rule.error).filter((error) => !told.has(error)),
    [],
  );
});

Deno.test("a daily cap ends at midnight UTC, and the job is told when that is", async () => {
  const cap = fixture.answers.find((answer) => answer.error === "store_daily_cap_exceeded");
  assert.ok(cap);
  const { client } = scriptedStore([stepOf(cap)]);
  assert.equal((await failureOf(client.getText("a", 100))).retryAfterMs, 6 * 3_600_000);
});

Deno.test("an error page that is not XML, or endless, is read no further than needed", async () => {
  const { client, cancelled } = scriptedStore([{ http: 403, body: `<html>${"x".repeat(20_000)}` }]);
  assert.equal((await failureOf(client.getText("a", 100))).code, "store_access_denied");
  assert.equal(cancelled(), 1);
});

Deno.test("no error tells the secret", async () => {
  for (const answer of fixture.answers) {
    const { client } = scriptedStore([1, 2, 3, 4].map(() => stepOf(answer)));
    assert.doesNotMatch(
      JSON.stringify(await failureOf(client.getText("a", 100))),
      new RegExp(SETTINGS.applicationKey),
    );
  }
});

Deno.test("every message is one or more whole sentences for people", () => {
  for (const [code, { message }] of Object.entries(STORE_ERRORS)) {
    assert.match(code, /^[a-z]+(?:_[a-z]+)+$/);
    assert.match(message, /^[A-Z].+\.$/, code);
  }
});
