import {
  createClient,
  type RealtimeChannel,
  type RealtimeChannelOptions,
  type SupabaseClient,
} from "@supabase/supabase-js";
import { SignJWT } from "jose";
import postgres from "postgres";
import { type Prepare, startTestServer, type TestDatabase } from "../../postgres/testing.ts";
import { quietLog } from "../../stack/part.ts";
import { ensureRealtimeSchema } from "../schema.ts";
import { startRealtime } from "../server.ts";
import type { RealtimeSettingsInput } from "../settings.ts";

export const jwtSecret = "a-secret-of-at-least-thirty-two-characters";
export const publishableKey = "sb_publishable_test";
export const secretKey = "sb_secret_test";
export const ann = "00000000-0000-4000-8000-00000000000a";
export const bob = "00000000-0000-4000-8000-00000000000b";

/** What the tests listen to: notes that only their owner sees, and topics `notes:<user>` that only that user joins. */
const prepareNotes: Prepare = async ({ adminUrl, postgresUrl }) => {
  await ensureRealtimeSchema(adminUrl);
  const sql = postgres(postgresUrl, { max: 1, onnotice: () => undefined });
  await sql.unsafe(`
    create table public.notes (
      id bigint generated always as identity primary key,
      owner uuid not null,
      text text,
      done boolean not null default false,
      rank numeric,
      tags text[],
      details jsonb,
      secret text default 'hidden',
      made_at timestamptz not null default '2026-11-22 10:00:00.123456+00'
    );
    alter table public.notes enable row level security;
    grant select (id, owner, text, done, rank, tags, details, made_at) on public.notes to authenticated;
    create policy "own notes" on public.notes for select to authenticated
      using (owner::text = (current_setting('request.jwt.claims', true)::jsonb ->> 'sub'));

    create table public.rooms (id int primary key, name text, size numeric, opened_at timestamptz);
    alter table public.rooms replica identity full;
    create table public.diary (id int primary key, text text);
    alter table public.diary replica identity full;
    alter table public.diary enable row level security;
    grant select on public.diary to anon;
    create table public.keyless (name text);
    create table public.locked (id int primary key);
    create table public.unpublished (id int primary key);
    grant select on public.rooms, public.keyless, public.unpublished to anon, authenticated;
    alter publication supabase_realtime add table public.notes, public.rooms, public.diary, public.keyless, public.locked;

    create policy "read own topic" on realtime.messages for select to authenticated
      using (realtime.topic() = 'notes:' || (current_setting('request.jwt.claims', true)::jsonb ->> 'sub')
             or realtime.topic() in ('lobby', 'announcements'));
    create policy "write to the lobby" on realtime.messages for insert to authenticated
      with check (realtime.topic() = 'lobby' and extension = 'broadcast'
                  and current_setting('request.jwt.claims', true)::jsonb -> 'muted' is null);
    create policy "be present in the lobby" on realtime.messages for insert to authenticated
      with check (realtime.topic() = 'lobby' and extension = 'presence'
                  and current_setting('request.jwt.claims', true)::jsonb -> 'hidden' is null);
    -- Announcements may be heard, but who is there is nobody's business.
    create policy "announcements have no audience list" on realtime.messages as restrictive for select to authenticated
      using (realtime.topic() <> 'announcements' or extension = 'broadcast');
  `);
  await sql.end();
};

export type Stage = Awaited<ReturnType<typeof setStage>>;

/** A database with the notes, a Realtime server on it, and clients that are closed by `end`. */
export async function setStage(settings: Partial<RealtimeSettingsInput> = {}) {
  const server = await startTestServer();
  const database: TestDatabase = await server.createDatabase({ prepare: prepareNotes });
  const lines: string[] = [];
  const notices: string[] = [];
  const realtime = await startRealtime(
    {
      databaseUrl: database.adminUrl,
      jwtSecret,
      publishableKey,
      secretKey,
      joinErrorDelayMs: 0,
      refusalDelayMs: 0,
      ...settings,
    },
    (message, fields) => {
      lines.push(message);
      quietLog(message, fields);
    },
  );
  // Only flushed changes are replicated: with the test server's asynchronous commits they would come 200 ms late.
  const sql = postgres(database.postgresUrl, {
    max: 3,
    onnotice: ({ message }) => notices.push(message ?? ""),
    connection: { synchronous_commit: "on" },
  });
  const admin = postgres(database.adminUrl, { max: 2, onnotice: () => undefined });
  const clients = new Map<SupabaseClient, { token: string }>();
  const clientWith = async (token?: string, key = publishableKey, address = realtime.address) => {
    // Not setAuth(token): the client asks its callback again at each join, and would go back to the key.
    const holder = { token: token ?? key };
    const client = createClient(address, key, { accessToken: async () => holder.token });
    clients.set(client, holder);
    return client;
  };
  return {
    address: realtime.address,
    settings: { databaseUrl: database.adminUrl, jwtSecret, publishableKey, secretKey },
    /** What the server logged, and what Postgres remarked to `sql`. */
    lines,
    notices,
    sql,
    admin,
    clientWith,
    /** A client signed in as the user. */
    clientOf: async (user: string, address?: string) =>
      clientWith(await token({ sub: user }), publishableKey, address),
    /** Gives a client a new token, as a refreshed session does. */
    async renew(client: SupabaseClient, renewed: string) {
      const holder = clients.get(client);
      if (holder === undefined) throw new Error("not a client of this stage");
      holder.token = renewed;
      await client.realtime.setAuth();
    },
    async end() {
      for (const client of clients.keys()) {
        await client.removeAllChannels();
        await client.realtime.disconnect();
      }
      await sql.end();
      await admin.end();
      await realtime.stop();
      await server.stop();
    },
  };
}

/** A token of the project, good for an hour unless said otherwise. */
export function token(
  claims: Record<string, unknown>,
  secondsLeft = 3600,
  secret = jwtSecret,
): Promise<string> {
  return new SignJWT({ role: "authenticated", ...claims })
    .setProtectedHeader({ alg: "HS256" })
    .setExpirationTime(Math.floor(Date.now() / 1000) + secondsLeft)
    .sign(new TextEncoder().encode(secret));
}

/** What a test saw, in order, with a way to wait for more. */
export class Seen<Item> {
  readonly items: Item[] = [];
  #waiting: (() => void)[] = [];

  readonly add = (item: Item): void => {
    this.items.push(item);
    for (const wake of this.#waiting.splice(0)) wake();
  };

  /** The first item for which the condition holds, now or later. Throws after the given time. */
  async find(holds: (item: Item) => boolean, withinMs = 30_000): Promise<Item> {
    const until = Date.now() + withinMs;
    for (;;) {
      const found = this.items.find(holds);
      if (found !== undefined) return found;
      const left = until - Date.now();
      if (left <= 0) throw new Error(`waited in vain; seen so far: ${JSON.stringify(this.items)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** Waits until so many items have come. */
  async count(count: number, withinMs = 30_000): Promise<Item[]> {
    await this.find(() => this.items.length >= count, withinMs);
    return this.items;
  }
}

export interface SystemMessage {
  extension: string;
  status: string;
  message: string;
  channel: string;
}

/** One change as supabase-js hands it over. */
export interface ChangeEvent {
  eventType: string;
  schema: string;
  table: string;
  commit_timestamp: string;
  new: Record<string, unknown>;
  old: Record<string, unknown>;
  errors: string[] | null;
}

export interface BroadcastEvent {
  type: string;
  event: string;
  payload?: unknown;
  meta?: { id: string };
}

export interface Binding {
  event?: "*" | "INSERT" | "UPDATE" | "DELETE";
  schema?: string;
  table?: string;
  filter?: string;
  select?: string[];
}

/** A channel of the real client whose every event is kept. */
export function listen(
  client: SupabaseClient,
  topic: string,
  { changes = [], ...config }: RealtimeChannelOptions["config"] & { changes?: Binding[] } = {},
) {
  const seen = {
    statuses: new Seen<{ status: string; error: string | undefined }>(),
    system: new Seen<SystemMessage>(),
    changes: new Seen<ChangeEvent>(),
    broadcasts: new Seen<BroadcastEvent>(),
  };
  const channel: RealtimeChannel = client.channel(topic, { config });
  channel.on("system", {}, seen.system.add);
  channel.on("broadcast", { event: "*" }, (event) => seen.broadcasts.add(event));
  for (const binding of changes) {
    channel.on(
      "postgres_changes",
      { event: "*", schema: "public", ...binding } as { event: "*"; schema: string },
      (event) => seen.changes.add(event as unknown as ChangeEvent),
    );
  }
  channel.subscribe((status, error) => seen.statuses.add({ status, error: error?.message }));
  return {
    ...seen,
    channel,
    /** Waits until the channel is joined, and its database subscriptions exist if it has any. */
    async ready() {
      await seen.statuses.find(({ status }) => status === "SUBSCRIBED");
      if (changes.length > 0)
        await seen.system.find(
          ({ extension, status }) => extension === "postgres_changes" && status === "ok",
        );
    },
    /** The error that the subscription was refused with. */
    refusal: async () => (await seen.statuses.find(({ status }) => status === "CHANNEL_ERROR")).error,
  };
}
