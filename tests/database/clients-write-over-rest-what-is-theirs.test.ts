/** The rights of design and matrix, as the ordinary client meets them: upserts, RPCs with defaults, refusals with code and status. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gatewayBefore, keys, tokenFor } from "../../local/gateway/tests/local-project.ts";
import { applyFile } from "../../local/postgres/migrate.ts";
import { prepareDatabase } from "../../local/postgres/prepare.ts";
import { type Prepare, startTestServer, type TestServer } from "../../local/postgres/testing.ts";
import { quietLog } from "../../local/stack/part.ts";
import type { Database } from "../../supabase/database.types.ts";

type Client = SupabaseClient<Database>;

const SUPABASE = fileURLToPath(new URL("../../supabase/", import.meta.url));
const prepare: Prepare = async ({ adminUrl, postgresUrl }) => {
  const migrationsDir = join(SUPABASE, "migrations");
  await prepareDatabase({ adminUrl, postgresUrl, migrationsDir, vaultSecrets: {}, log: quietLog });
  await applyFile(postgresUrl, join(SUPABASE, "tests/000_helpers.sql"), quietLog);
};

let server: TestServer;
let sql: postgres.Sql;
let gateway: Awaited<ReturnType<typeof gatewayBefore>>;
let recordingId: string;
let mentor: Client;
let stranger: Client;

async function clientOf(nickname: string): Promise<Client> {
  const [person] = await sql<{ id: string }[]>`select tests.person(${nickname}) as id`;
  const token = await tokenFor({ sub: person?.id });
  return createClient<Database>(gateway.address, keys.publishableKey, {
    auth: { persistSession: false, autoRefreshToken: false },
    global: { headers: { Authorization: `Bearer ${token}` } },
  });
}

beforeAll(async () => {
  server = await startTestServer();
  const database = await server.createDatabase({ prepare });
  sql = postgres(database.postgresUrl, { max: 1, onnotice: () => undefined });
  recordingId = await sql.begin(async (tx) => {
    await tx`select tests.people()`;
    const [made] = await tx<{ id: string }[]>`select tests.finished_recording(tests.new_call()) as id`;
    if (made === undefined) throw new Error("no recording was made");
    return made.id;
  });
  gateway = await gatewayBefore(database, { schemas: ["public", "recorder_api"] });
  mentor = await clientOf("mentor");
  stranger = await clientOf("stranger");
});
afterAll(async () => {
  await gateway.stop();
  await sql.end();
  await server.stop();
});

describe("Playback history", () => {
  test("a position is upserted by the ordinary client, without naming the user", async () => {
    const write = (position_ms: number) =>
      mentor
        .from("playback_positions")
        .upsert({ recording_id: recordingId, position_ms }, { onConflict: "user_id,recording_id" });
    expect((await write(1000)).error).toBeNull();
    expect((await write(2000)).error).toBeNull();
    const { data } = await mentor.from("playback_positions").select("recording_id, position_ms");
    expect(data).toEqual([{ recording_id: recordingId, position_ms: 2000 }]);
  });

  test("a stranger's is refused with 403 and leaves nothing", async () => {
    const { error, status } = await stranger
      .from("playback_positions")
      .insert({ recording_id: recordingId, position_ms: 1 });
    expect([status, error?.code]).toEqual([403, "42501"]);
    expect(
      await sql`select from public.playback_positions where user_id = tests.person('stranger')`,
    ).toHaveLength(0);
  });

  test("an event is appended, and reading back is not needed", async () => {
    const { error } = await mentor
      .from("playback_events")
      .insert({ recording_id: recordingId, kind: "started", position_ms: 0, detail: { player: "hls" } });
    expect(error).toBeNull();
  });
});

describe("Notifications", () => {
  test("a person marks the own one as read, and sees it so", async () => {
    const { data, error } = await mentor
      .from("notifications")
      .update({ read_at: new Date().toISOString() })
      .is("read_at", null)
      .select("kind, recording_id");
    expect(error).toBeNull();
    expect(data).toEqual([{ kind: "recording_ready", recording_id: recordingId }]);
    const unread = await mentor.from("notifications").select("id").is("read_at", null);
    expect(unread.data).toEqual([]);
  });
});

describe("RPCs", () => {
  test("keep_recording_longer without a date keeps as long as the policy allows; beyond it is refused with 409", async () => {
    const { data, error } = await mentor.rpc("keep_recording_longer", { recording_id: recordingId });
    expect(error).toBeNull();
    const days = (Date.parse(data?.expires_at ?? "") - Date.parse(data?.finished_at ?? "")) / 86_400_000;
    expect(days).toBeCloseTo(1095, 3);
    const beyond = await mentor.rpc("keep_recording_longer", {
      recording_id: recordingId,
      keep_until: "2099-01-01T00:00:00Z",
    });
    expect([beyond.status, beyond.error?.code]).toEqual([409, "kept_longest"]);
    expect(Date.parse(beyond.error?.hint ?? "")).toBeCloseTo(Date.parse(data?.expires_at ?? ""), -4);
  });

  test("a stranger's keep_recording_longer finds no recording: 404", async () => {
    const { error, status } = await stranger.rpc("keep_recording_longer", { recording_id: recordingId });
    expect([status, error?.code]).toEqual([404, "recording_not_found"]);
  });

  test("link_my_profile links by the Discord identity and refuses a sign-in without one with 403", async () => {
    const refused = await stranger.rpc("link_my_profile");
    expect([refused.status, refused.error?.code]).toEqual([403, "discord_missing"]);
    await sql`insert into public.mentees (discord_id, display_name) values ('4711', 'Gil')`;
    await sql`
      insert into auth.identities (user_id, provider, provider_id, identity_data, created_at, updated_at)
      values (tests.person('stranger'), 'discord', '4711', '{}', now(), now())`;
    const linked = await stranger.rpc("link_my_profile");
    expect(linked.data).toMatchObject({ instructor_id: null, mentee_id: expect.any(String) });
  });

  test("the engine room and its functions are not there for people", async () => {
    const hidden: SupabaseClient = mentor;
    const table = await hidden.schema("recorder").from("jobs").select("id");
    expect([table.status, table.error?.code]).toEqual([406, "PGRST106"]);
    const rpc = await hidden.schema("recorder_api").rpc("playback_of", {
      p_recording_id: recordingId,
      p_user_id: "a0000000-0000-4000-8000-000000000001",
    });
    expect([rpc.status, rpc.error?.code]).toEqual([403, "42501"]);
  });
});
