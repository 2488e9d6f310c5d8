import assert from "node:assert/strict";
import { asRecorderError } from "../../_shared/errors.ts";
import type { World } from "../../_shared/jobs/world.ts";
import { servePeople } from "../../_shared/people/serve-people.ts";

const USER = "11000000-0000-4000-8000-000000000001";

/** A function that answers with the user's id and a setting of its own, in a world of its own. */
function functionForTest(environment: Record<string, string>) {
  const asked: string[] = [];
  const background: Promise<unknown>[] = [];
  let made = 0;
  const world: World = {
    environment: { get: (name) => environment[name] },
    fetch: async (input) => {
      asked.push(new URL(String(input)).pathname);
      return Response.json(String(input).endsWith("/auth/v1/user") ? { id: USER } : []);
    },
    now: () => 1_700_000_000_000,
    sleep: async () => {},
    random: () => 0.5,
    newId: () => "00000000-0000-4000-8000-000000000001",
    waitUntil: (work) => background.push(work),
    write: () => {},
  };
  const serve = servePeople<{ greeting: string | undefined }>(
    async (_request, deps) => {
      try {
        const { userOf, wakeOverdueLanes, greeting } = deps();
        const user = await userOf("token");
        wakeOverdueLanes();
        return Response.json({ user, greeting });
      } catch (error) {
        return Response.json({ code: asRecorderError(error).code }, { status: 503 });
      }
    },
    ({ environment: settings }) => {
      made += 1;
      return { greeting: settings.get("GREETING") };
    },
    world,
  );
  const ask = async () => {
    const response = await serve(new Request("https://f.example/", { method: "POST" }));
    return { status: response.status, body: await response.json() };
  };
  return { ask, asked, background, timesMade: () => made };
}

const complete = {
  SUPABASE_URL: "https://project.example",
  SUPABASE_SECRET_KEYS: '{"default": "sb_secret_key"}',
  SUPABASE_PUBLISHABLE_KEYS: '{"default": "sb_publishable_key"}',
};

Deno.test("what a function needs is made once, however many ask, and its own part with it", async () => {
  const { ask, timesMade } = functionForTest({ ...complete, GREETING: "hello" });
  for (let times = 0; times < 3; times++) {
    assert.deepEqual(await ask(), { status: 200, body: { user: USER, greeting: "hello" } });
  }
  assert.equal(timesMade(), 1);
});

Deno.test("a setting that is missing is an answer, until it is there", async () => {
  const environment: Record<string, string> = {};
  const { ask } = functionForTest(environment);
  assert.deepEqual(await ask(), { status: 503, body: { code: "setting_invalid" } });
  Object.assign(environment, complete, { GREETING: "hello" });
  assert.equal((await ask()).status, 200);
});

Deno.test("overdue lanes are looked for behind the answer, once in a while", async () => {
  const { ask, asked, background } = functionForTest(complete);
  await ask();
  await ask();
  await Promise.all(background);
  assert.equal(background.length, 2);
  assert.equal(asked.filter((path) => path.endsWith("/lanes_to_wake")).length, 1);
});
