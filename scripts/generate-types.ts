/** Renews supabase/database.types.ts from the migrations, on a throw-away server. Run by `npm run types`. */
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { prepareDatabase } from "../local/postgres/prepare.ts";
import { startTestServer } from "../local/postgres/testing.ts";
import { quietLog } from "../local/stack/part.ts";
import { generateTypes, TYPES_FILE } from "./database-types.ts";

const server = await startTestServer();
try {
  const { adminUrl, postgresUrl } = await server.createDatabase();
  await prepareDatabase({
    adminUrl,
    postgresUrl,
    migrationsDir: fileURLToPath(new URL("../supabase/migrations", import.meta.url)),
    vaultSecrets: {},
    log: quietLog,
  });
  await writeFile(TYPES_FILE, await generateTypes(postgresUrl));
} finally {
  await server.stop();
}
