import assert from "node:assert/strict";
import { alertWebhook } from "../../_shared/config.ts";
import { done, type JobWithoutRecording } from "../../_shared/jobs/job.ts";
import { type Alert, deliverAlert, slackMessage } from "../../_shared/notify/deliver-alert.ts";
import { jobForTest } from "../jobs/jobs-for-tests.ts";

const ADDRESS = "https://hooks.slack.com/services/T0/B0/secret-of-the-channel";
const ALERT: Alert = {
  rule: "dead_job",
  severity: "warning",
  state: "firing",
  message: "Work was given up.",
  explanation: "1 given up lately, 1 in all. See recorder.dead_jobs.",
  runbook: "#alert-dead_job",
  fired_at: "2026-11-22T18:00:12.345+00:00",
  resolved_at: null,
};

function stage(answer: () => Response | Promise<Response>, webhook: string | undefined = ADDRESS) {
  const sent: { url: string; body: { text: string; blocks: unknown[] } }[] = [];
  const deps = {
    webhook: () => webhook,
    random: () => 0,
    fetch: ((url: string, init: RequestInit) => {
      sent.push({ url, body: JSON.parse(new TextDecoder().decode(init.body as Uint8Array)) });
      return Promise.resolve().then(answer);
    }) as typeof fetch,
  };
  const job = (attempts: number): JobWithoutRecording => ({
    ...jobForTest({ kind: "alert", attempts, max_attempts: 10 }),
    payload: { id: "0", ...ALERT },
    recording_id: null,
    recording: null,
  });
  return { sent, deps, run: (attempts = 1) => deliverAlert(job(attempts), deps) };
}

Deno.test("a chat is told what is wrong, since when, and where it says what to do", async () => {
  const { run, sent } = stage(() => new Response("ok"));
  assert.deepEqual(await run(), done);
  assert.deepEqual(sent, [
    {
      url: ADDRESS,
      body: {
        text: [
          "Warning: Work was given up.",
          "1 given up lately, 1 in all. See recorder.dead_jobs.",
          "dead_job, since 2026-11-22 18:00 UTC. What to do: docs/operations.md#alert-dead_job",
        ].join("\n"),
        blocks: [
          { type: "header", text: { type: "plain_text", text: "Warning: Work was given up.", emoji: false } },
          {
            type: "section",
            text: { type: "mrkdwn", text: "1 given up lately, 1 in all. See recorder.dead_jobs." },
          },
          {
            type: "context",
            elements: [
              {
                type: "mrkdwn",
                text: "dead_job, since 2026-11-22 18:00 UTC. What to do: docs/operations.md#alert-dead_job",
              },
            ],
          },
        ],
      },
    },
  ]);
});

Deno.test("what is over says so, with both times", () => {
  const { text } = slackMessage({ ...ALERT, state: "resolved", resolved_at: "2026-11-22T19:30:00+00:00" });
  assert.match(text, /^Recovered: Work was given up\./);
  assert.match(text, /since 2026-11-22 18:00 UTC, over at 2026-11-22 19:30 UTC/);
  assert.match(slackMessage({ ...ALERT, severity: "critical" }).text, /^Critical: /);
});

Deno.test("an explanation mentions nobody, and is cut where Slack would refuse it", () => {
  const message = slackMessage({ ...ALERT, explanation: `<!channel> & <@U1>${"x".repeat(4_000)}` });
  assert.match(message.text, /&lt;!channel&gt; &amp; &lt;@U1&gt;/);
  assert.doesNotMatch(JSON.stringify(message), /<[!@]/);
  const lengths = [...JSON.stringify(message.blocks).matchAll(/"text":"([^"]*)"/g)].map(
    ([, text]) => text?.length ?? 0,
  );
  assert.ok(Math.max(...lengths) <= 3_000);
});

Deno.test("where nobody wants alerts there is nothing to do", async () => {
  const { deps, run, sent } = stage(() => new Response("ok"));
  assert.deepEqual(
    await deliverAlert(jobForTest({ kind: "alert" }), { ...deps, webhook: () => undefined }),
    done,
  );
  assert.equal(sent.length, 0);
  assert.deepEqual(await run(), done);
});

Deno.test("a chat that is down, or asks for patience, is told later; one that is gone never again", async () => {
  const unreachable = stage(() =>
    Promise.reject(new TypeError(`error sending request for url (${ADDRESS})`)),
  );
  const outcome = await unreachable.run();
  assert.equal(outcome.outcome, "retry");
  assert.doesNotMatch(JSON.stringify(outcome), /secret-of-the-channel/);

  const slow = await stage(() => new Response(null, { status: 429, headers: { "retry-after": "30" } })).run();
  assert.deepEqual([slow.outcome, "afterMs" in slow && slow.afterMs], ["retry", 30_000]);
  assert.equal((await stage(() => new Response("no_service", { status: 404 })).run(10)).outcome, "give_up");
  assert.equal((await stage(() => new Response(null, { status: 410 })).run(1)).outcome, "give_up");
});

Deno.test("the address must be https, and is not quoted where it is wrong", () => {
  const set = (value?: string) => () => alertWebhook({ get: () => value });
  assert.equal(set(ADDRESS)(), ADDRESS);
  assert.equal(set()(), undefined);
  assert.throws(set("http://chat.example/secret-of-the-channel"), (thrown: unknown) => {
    assert.match(JSON.stringify(thrown), /ALERT_WEBHOOK_URL is malformed \(must be https\)/);
    assert.doesNotMatch(JSON.stringify(thrown), /secret-of-the-channel/);
    return true;
  });
});
