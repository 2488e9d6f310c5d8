/** Qualities and layouts stand in recorder.presets and recorder.layouts; the function that asks the engine agrees with them. */
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { prepareDatabase } from "../../local/postgres/prepare.ts";
import { type Prepare, startTestServer, type TestServer } from "../../local/postgres/testing.ts";
import { quietLog } from "../../local/stack/part.ts";
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
const { quality: qualityOf, layout: layoutOf } = jobRecording.shape;

test("every quality and layout of the database is one that a start knows, with these numbers, and the other way round", async () => {
  const presets =
    await sql`select quality, width, height, fps, bitrate_kbps, is_audio_only from recorder.presets`;
  const layouts = await sql`select layout from recorder.layouts`;
  expect(presets.map((preset) => preset.quality).sort()).toEqual([...qualityOf.options].sort());
  expect(layouts.map((row) => row.layout).sort()).toEqual([...layoutOf.options].sort());
  for (const preset of presets) {
    for (const { layout } of layouts) {
      const recording = {
        id: crypto.randomUUID(),
        quality: qualityOf.parse(preset.quality),
        layout: layoutOf.parse(layout),
      };
      const { recordingConfig } = startRequestOf(recording, 1, {}, bucket);
      const asked = recordingConfig.transcodingConfig;
      expect(
        asked && { width: asked.width, height: asked.height, fps: asked.fps, bitrate_kbps: asked.bitrate },
        `${preset.quality} ${layout}`,
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
