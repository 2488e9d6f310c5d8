import { randomUUID } from "node:crypto";
import { createClient } from "@supabase/supabase-js";
import postgres from "postgres";
import { findRunningStack } from "../../local/stack/running-stack.ts";
import type { DoctorDeps, Project } from "./check.ts";
import { appendSetting, readSettingsFile } from "./settings-file.ts";

/** Where settings come from, and the variables that are true from then on. */
export interface Source {
  /** In words, for the first line of a report. */
  name: string;
  variables: Record<string, string | undefined>;
  /** The file that a setting can be added to; absent for the local stack, which makes its own. */
  file?: string;
}

/** The address of the portal on one machine. */
const LOCAL_PORTAL = "http://127.0.0.1:5173";

/**
 * The settings of a hosted project: a file, and this process' environment, which wins (as it does for every tool that
 * reads `.env`).
 */
export async function fileSource(
  file: string,
  environment: Record<string, string | undefined>,
): Promise<Source> {
  const variables: Record<string, string | undefined> = { ...(await readSettingsFile(file)) };
  for (const [name, value] of Object.entries(environment)) if (value) variables[name] = value;
  return { name: file, variables: withPlainKeys(variables), file };
}

/** The settings of the stack that runs on a data folder; undefined where none does. */
export async function localSource(dataDir: string): Promise<Source | undefined> {
  const stack = await findRunningStack(dataDir);
  if (stack === undefined) return undefined;
  return {
    name: `the local stack on ${stack.url}`,
    variables: {
      PORTAL_URL: LOCAL_PORTAL,
      ...stack.env,
      SUPABASE_URL: stack.url,
      SUPABASE_PUBLISHABLE_KEY: stack.publishableKey,
      SUPABASE_SECRET_KEY: stack.secretKey,
      SUPABASE_DB_URL: stack.databaseUrls.postgres,
    },
  };
}

/** Older names of the two keys, as other tools write them. */
function withPlainKeys(variables: Record<string, string | undefined>): Record<string, string | undefined> {
  return {
    ...variables,
    SUPABASE_PUBLISHABLE_KEY: variables.SUPABASE_PUBLISHABLE_KEY ?? variables.SUPABASE_ANON_KEY,
    SUPABASE_SECRET_KEY: variables.SUPABASE_SECRET_KEY ?? variables.SUPABASE_SERVICE_ROLE_KEY,
  };
}

/** The real world. `end` closes what was opened. */
export function createWorld(source: Source, project: Project): { deps: DoctorDeps; end(): Promise<void> } {
  let sql: postgres.Sql | undefined;
  const deps: DoctorDeps = {
    environment: { get: (name) => source.variables[name] },
    project,
    fetch,
    sql() {
      sql ??= postgres(source.variables.SUPABASE_DB_URL ?? "", {
        max: 1,
        connect_timeout: 8,
        onnotice: () => undefined,
        connection: { application_name: "call-recording doctor" },
      });
      return sql;
    },
    joinAsStranger,
    async saveSetting(name, value) {
      if (source.file === undefined) throw new Error("these settings do not come from a file");
      await appendSetting(source.file, name, value);
      source.variables[name] = value;
    },
    now: Date.now,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    random: Math.random,
    newId: () => randomUUID(),
  };
  return { deps, end: async () => void (await sql?.end({ timeout: 2 })) };
}

const JOIN_PATIENCE_MS = 8_000;

async function joinAsStranger(
  url: string,
  publishableKey: string,
  topic: string,
): Promise<"joined" | "refused" | "silent"> {
  const client = createClient(url, publishableKey, {
    auth: { persistSession: false, autoRefreshToken: false },
  });
  try {
    return await new Promise((resolve) => {
      setTimeout(() => resolve("silent"), JOIN_PATIENCE_MS).unref();
      client.channel(topic, { config: { private: true } }).subscribe((status) => {
        if (status === "SUBSCRIBED") resolve("joined");
        else if (status === "CHANNEL_ERROR") resolve("refused");
        else if (status === "TIMED_OUT") resolve("silent");
      });
    });
  } finally {
    await client.removeAllChannels();
    await client.realtime.disconnect();
  }
}
