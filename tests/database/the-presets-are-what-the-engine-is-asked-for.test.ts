/** Qualities and layouts are data: recorder.presets and recorder.layouts. What the engine is asked for is made of them. */
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { prepareDatabase } from "../../local/postgres/prepare.ts";
import { type Prepare, startTestServer, type TestServer } from "../../local/postgres/testing.ts";
import { quietLog } from "../../local/stack/part.ts";
import { startRequest } from "../../supabase/functions/_shared/agora/requests.ts";
import { startRequestOf } from "../../supabase/functions/_shared/control/start-request.ts";
import { jobRecording } from "../../supabase/functions/_shared/jobs/job.ts";

const migrationsDir = fileURLToPath(new URL("../../supabase/migrations", import.meta.url));
const prepare: Prepare = ({ adminUrl, postgresUrl }) =>
  prepareDatabase({ adminUrl, postgresUrl, migrationsDir, vaultSecrets: {}, log: quietLog });

let server: TestServer;
let sql: postgres.Sql;
beforeAll(async () => {
  server = await startTestServer();
  const { postgresUrl } = await server.createDatabase({ prepare });
  sql = postgres(postgresUrl, { max: 1, onnotice: () => undefined });
});
afterAll(async () => {
  await sql.end();
  await server.stop();
});

const bucket = {
  endpoint: "https://s3.example.com",
  bucket: "b",
  keyId: "k",
  applicationKey: "s",
  region: "r",
};
const { preset: presetOf } = jobRecording.shape;

test("every quality in every layout of the database is a request that Agora accepts, with the numbers of its row", async () => {
  const presets =
    await sql`select quality, width, height, fps, bitrate_kbps, is_audio_only from recorder.presets`;
  const layouts = await sql`select layout from recorder.layouts`;
  expect(presets.length * layouts.length).toBeGreaterThanOrEqual(12);
  for (const { quality, ...preset } of presets) {
    for (const { layout } of layouts) {
      const recording = {
        id: crypto.randomUUID(),
        layout,
        preset: presetOf.parse(preset),
        mentor_uid: "1001",
      };
      const parts = startRequestOf(recording, 1, { idle_limit: 300, channel_type: 1 }, bucket);
      const { recordingConfig } = startRequest.parse({
        cname: "room1",
        uid: "4000000001",
        resourceId: "r1",
        token: "007t",
        ...parts,
      });
      const asked = recordingConfig.transcodingConfig;
      expect(
        asked && { width: asked.width, height: asked.height, fps: asked.fps, bitrate_kbps: asked.bitrate },
        `${quality} ${layout}`,
      ).toEqual(
        preset.is_audio_only
          ? undefined
          : {
              width: preset.width,
              height: preset.height,
              fps: preset.fps,
              bitrate_kbps: preset.bitrate_kbps,
            },
      );
    }
  }
});

test("how callers and recorder share a channel is one setting, one that Agora knows", async () => {
  const [row] = await sql`select value::integer as value from recorder.settings where name = 'channel_type'`;
  const recording = { id: crypto.randomUUID(), layout: "best_fit", preset: null, mentor_uid: null };
  const sound = { ...recording, preset: { is_audio_only: true as const } };
  expect([0, 1]).toContain(row?.value);
  expect(startRequestOf(sound, 1, { channel_type: row?.value }, bucket).recordingConfig.channelType).toBe(
    row?.value,
  );
});
