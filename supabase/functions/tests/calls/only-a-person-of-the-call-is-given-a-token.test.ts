import assert from "node:assert/strict";
import { answerCallToken, type CallTokenDeps } from "../../_shared/calls/answer.ts";
import { callSettings } from "../../_shared/config.ts";
import { RecorderFailure } from "../../_shared/errors.ts";
import type { LogFields } from "../../_shared/log.ts";
import { WHOLE } from "../config/environment-for-tests.ts";

const CALL_ID = "55555555-5555-4555-8555-555555555555";
const CALLER_ID = "44444444-4444-4444-8444-444444444444";
const USER_TOKEN = "eyJ.token.of-the-caller";
const NOW_MS = Date.UTC(2026, 10, 22, 18, 15, 0, 700);
const CALLER = {
  channel: CALL_ID.replaceAll("-", ""),
  uid: 1001,
  channel_type: 1 as const,
  token_lifetime_seconds: 14_400,
};
const settingsOf = (change: Record<string, string> = {}) =>
  callSettings({ get: (name) => ({ ...WHOLE, ...change })[name] });

async function ask(init: RequestInit, change: Partial<CallTokenDeps> & { fails?: unknown } = {}) {
  const logged: (LogFields & { step: string })[] = [];
  const asked: [callId: string, userId: string][] = [];
  const { fails, ...deps } = change;
  let woken = 0;
  const makeDeps = (): CallTokenDeps => {
    if (fails !== undefined) throw fails;
    const database: CallTokenDeps["database"] = deps.database ?? {
      admitCaller: () => Promise.resolve(CALLER),
    };
    return {
      userOf: (accessToken) => Promise.resolve(accessToken === USER_TOKEN ? CALLER_ID : undefined),
      settings: settingsOf(),
      now: () => NOW_MS,
      random: () => 0.5,
      wakeOverdueLanes: () => {
        woken += 1;
      },
      ...deps,
      database: {
        admitCaller: (callId, userId) => {
          asked.push([callId, userId]);
          return database.admitCaller(callId, userId);
        },
      },
    };
  };
  const log = (step: string, fields: LogFields = {}) => logged.push({ step, ...fields });
  const request = new Request("https://functions.example/call-token", init);
  const response = await answerCallToken(request, makeDeps, log);
  assert.equal(response.headers.get("access-control-allow-origin"), "*");
  const text = await response.text();
  const body: Record<string, unknown> = text === "" ? {} : JSON.parse(text);
  // Whoever is refused sets nothing in motion.
  assert.equal(woken, response.status === 200 ? 1 : 0);
  return { status: response.status, headers: response.headers, body, logged, asked };
}

const order = (
  body: BodyInit | null = JSON.stringify({ call_id: CALL_ID }),
  token = USER_TOKEN,
): RequestInit => ({
  method: "POST",
  headers: { authorization: `Bearer ${token}` },
  body,
});
const giving = (caller: Awaited<ReturnType<CallTokenDeps["database"]["admitCaller"]>>) => ({
  database: { admitCaller: () => Promise.resolve(caller) },
});
const throwing = (code: string) => ({
  database: { admitCaller: () => Promise.reject(failure(code)) },
});
function failure(code: string): RecorderFailure {
  return new RecorderFailure({
    code,
    blame: "us",
    retry: "later",
    message: "Not now.",
    detail: "the inner part",
  });
}
function assertRefused(answer: Awaited<ReturnType<typeof ask>>, status: number, code: string) {
  const { body, headers } = answer;
  assert.deepEqual([answer.status, body.code, Object.keys(body).sort()], [status, code, ["code", "message"]]);
  assert.equal(headers.get("cache-control"), "no-store");
}

Deno.test("a person of the call is given channel, number and token, for no cache", async () => {
  const { status, body, headers, asked, logged } = await ask(order());
  const { token, ...facts } = body;
  assert.equal(status, 200);
  assert.deepEqual(facts, {
    transport: "agora",
    app_id: WHOLE.AGORA_APP_ID,
    channel: CALLER.channel,
    uid: 1001,
    expires_at: "2026-11-22T22:15:00.000Z",
    mode: "live",
  });
  assert.match(String(token), /^007/);
  assert.deepEqual(asked, [[CALL_ID, CALLER_ID]]);
  assert.equal(headers.get("cache-control"), "private, no-store");
  assert.deepEqual(logged, [{ step: "call_token.given", call_id: CALL_ID, uid: 1001 }]);
});

Deno.test("the SDK's mode is the recorder's", async () => {
  assert.equal((await ask(order(), giving({ ...CALLER, channel_type: 0 }))).body.mode, "rtc");
});

Deno.test("a media server of one's own is named with its address; Agora has none, whatever is set", async () => {
  const CALL_TRANSPORT_URL = "wss://media.example/rtc/";
  const local = await ask(order(), { settings: settingsOf({ CALL_TRANSPORT: "local", CALL_TRANSPORT_URL }) });
  assert.deepEqual([local.body.transport, local.body.url], ["local", "wss://media.example/rtc"]);
  const agora = await ask(order(), { settings: settingsOf({ CALL_TRANSPORT_URL }) });
  assert.deepEqual([agora.body.transport, "url" in agora.body], ["agora", false]);
});

Deno.test("a stranger is told the same as about a call that never was", async () => {
  const answer = await ask(order(), giving(null));
  assertRefused(answer, 403, "call_not_found");
  assert.deepEqual(answer.logged, []);
});

Deno.test("a person of a call that has ended is told so", async () => {
  assertRefused(await ask(order(), throwing("call_ended")), 409, "call_ended");
});

Deno.test("an account that was deleted a moment ago is nobody", async () => {
  assertRefused(await ask(order(), throwing("user_not_found")), 401, "sign_in_required");
});

for (const authorization of [
  undefined,
  "",
  "Bearer",
  "Basic dXNlcg==",
  USER_TOKEN,
  "Bearer a b",
  "Bearer another",
]) {
  Deno.test(`authorization ${JSON.stringify(authorization)} is nobody: 401`, async () => {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    const answer = await ask({ ...order(), headers });
    assertRefused(answer, 401, "sign_in_required");
    assert.deepEqual(answer.asked, []);
  });
}

for (const body of [null, "", "{", "call_id=1", Uint8Array.from([0x22, 0xff, 0x22])]) {
  Deno.test(`a body that is not JSON (${String(body)}) is answered 400`, async () => {
    assertRefused(await ask(order(body)), 400, "body_not_json");
  });
}

for (const body of [
  "null",
  "[]",
  "{}",
  '{"call_id": null}',
  '{"call_id": "x"}',
  `{"recording_id": "${CALL_ID}"}`,
]) {
  Deno.test(`the body ${body} names no call: 400`, async () => {
    const answer = await ask(order(body));
    assertRefused(answer, 400, "call_id_missing");
    assert.deepEqual(answer.asked, []);
  });
}

Deno.test("a body that is longer than any order is not read to its end: 413", async () => {
  assertRefused(await ask(order(" ".repeat(4_097))), 413, "body_not_json");
});

for (const method of ["GET", "PUT", "DELETE"]) {
  Deno.test(`${method} is answered 405`, async () => {
    const answer = await ask({ method });
    assertRefused(answer, 405, "method_not_allowed");
    assert.equal(answer.headers.get("allow"), "POST, OPTIONS");
  });
}

Deno.test("a browser's question before is answered, with every header that the ordinary client sends", async () => {
  const { status, headers } = await ask({ method: "OPTIONS" });
  assert.equal(status, 204);
  const allowed = headers.get("access-control-allow-headers") ?? "";
  for (const name of ["authorization", "x-client-info", "apikey", "content-type"])
    assert.ok(allowed.includes(name));
});

for (const code of ["database_unavailable", "setting_invalid"]) {
  Deno.test(`${code} is answered 503; what it was about is for the log alone`, async () => {
    const answer = await ask(order(), code === "setting_invalid" ? { fails: failure(code) } : throwing(code));
    assertRefused(answer, 503, code);
    assert.deepEqual(answer.logged, [{ step: "call_token.failed", code, detail: "the inner part" }]);
    assert.ok(!JSON.stringify(answer.body).includes("inner"));
  });
}

Deno.test("a lifetime that the engine would not take gives no token", async () => {
  assertRefused(
    await ask(order(), giving({ ...CALLER, token_lifetime_seconds: 86_401 })),
    503,
    "engine_request_invalid",
  );
});
