import { randomUUID } from "node:crypto";
import postgres from "postgres";
import { z } from "zod";
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

/** Where the portal is on one machine, unless the stack says otherwise. */
const LOCAL_PORTAL = "http://127.0.0.1:54320";

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
      PORTAL_URL: stack.addresses.portal ?? LOCAL_PORTAL,
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

const SILENCE_MS = 8_000;
/** Realtime answers a join it admits at once, and holds back a refusal for 5 s to slow down who joins in a loop. */
const ADMITTED_WITHIN_MS = 2_000;

/** `[join_ref, ref, topic, event, payload]`, Realtime's second serialisation. */
const frame = z.tuple([
  z.unknown(),
  z.unknown(),
  z.string(),
  z.string(),
  z.looseObject({ status: z.string().optional() }),
]);

/** By the wire and not by supabase-js, which tries a refused channel again and again. */
async function joinAsStranger(
  url: string,
  publishableKey: string,
  topic: string,
): Promise<"joined" | "refused" | "silent"> {
  const address = new URL(`${url.replace(/^http/, "ws")}/realtime/v1/websocket`);
  address.searchParams.set("apikey", publishableKey);
  address.searchParams.set("vsn", "2.0.0");
  const socket = new WebSocket(address);
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve) => {
      timer = setTimeout(() => resolve("silent"), SILENCE_MS);
      let openedAt = 0;
      const config = { private: true, broadcast: {}, presence: {}, postgres_changes: [] };
      socket.addEventListener("open", () => {
        openedAt = Date.now();
        socket.send(JSON.stringify(["1", "1", `realtime:${topic}`, "phx_join", { config }]));
        // Its answer shows that the server hears us, and how long it takes to say something.
        socket.send(JSON.stringify([null, "2", "phoenix", "heartbeat", {}]));
      });
      socket.addEventListener("message", ({ data }) => {
        const told = frame.safeParse(typeof data === "string" ? JSON.parse(data) : undefined).data;
        if (told?.[3] !== "phx_reply") return;
        if (told[2] !== "phoenix") return resolve(told[4].status === "ok" ? "joined" : "refused");
        clearTimeout(timer);
        timer = setTimeout(
          () => resolve("refused"),
          Math.max(ADMITTED_WITHIN_MS, 4 * (Date.now() - openedAt)),
        );
      });
      socket.addEventListener("close", () => resolve("silent"));
      socket.addEventListener("error", () => resolve("silent"));
    });
  } finally {
    clearTimeout(timer);
    socket.close();
  }
}
