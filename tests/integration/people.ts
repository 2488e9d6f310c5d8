import { randomUUID } from "node:crypto";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { z } from "zod";
import type { Stack } from "../../local/stack/stack.ts";

/** Somebody with a browser: signed in, with a client of their own. */
export interface Person {
  id: string;
  client: SupabaseClient;
  accessToken: string;
}

/** A mentor and a mentee with an active mentorship that no other test uses. */
export interface Pair {
  mentor: Person;
  mentee: Person;
  mentorshipId: string;
}

export const callRow = z.looseObject({
  id: z.uuid(),
  channel: z.string(),
  recording_status: z.string().nullable(),
});
export type CallRow = z.output<typeof callRow>;

export interface People {
  /** The old portal's server and our functions: the secret key. */
  service: SupabaseClient;
  /** A client with the publishable key that nobody has signed in to. */
  anonymous(): SupabaseClient;
  /** Signs a new person up, who belongs to nobody. */
  stranger(): Promise<Person>;
  /** Signs two new people up and gives them a mentorship. */
  pair(): Promise<Pair>;
  /** Closes every socket that was opened. */
  leave(): Promise<void>;
}

const withoutStorage = { auth: { persistSession: false, autoRefreshToken: false } };

export function createPeople(stack: Pick<Stack, "url" | "publishableKey" | "secretKey">): People {
  const clients: SupabaseClient[] = [];
  const connect = (key: string) => {
    const client = createClient(stack.url, key, withoutStorage);
    clients.push(client);
    return client;
  };
  const service = connect(stack.secretKey);

  async function signUp(): Promise<Person> {
    const client = connect(stack.publishableKey);
    const email = `${randomUUID()}@example.com`;
    const { data, error } = await client.auth.signUp({ email, password: "recorded-here" });
    if (error !== null) throw error;
    if (data.session === null) throw new Error("signing up gave no session");
    await client.realtime.setAuth(data.session.access_token);
    return { id: data.session.user.id, client, accessToken: data.session.access_token };
  }

  async function insert(table: string, row: Record<string, unknown>): Promise<string> {
    const { data, error } = await service.from(table).insert(row).select("id").single();
    if (error !== null) throw new Error(`${table}: ${error.code} ${error.message}`);
    return z.object({ id: z.uuid() }).parse(data).id;
  }

  return {
    service,
    anonymous: () => connect(stack.publishableKey),
    stranger: signUp,
    async pair() {
      const [mentor, mentee] = await Promise.all([signUp(), signUp()]);
      const [instructor_id, mentee_id] = await Promise.all([
        insert("instructors", { user_id: mentor.id, name: "Mentor" }),
        insert("mentees", { user_id: mentee.id, display_name: "Mentee" }),
      ]);
      return { mentor, mentee, mentorshipId: await insert("mentorships", { instructor_id, mentee_id }) };
    },
    async leave() {
      await Promise.all(clients.map((client) => client.removeAllChannels()));
      for (const client of clients) client.realtime.disconnect();
    },
  };
}

/** Joins the call of a mentorship as the portal does; throws when that is refused. */
export async function joinCall({ client }: Person, mentorshipId: string): Promise<CallRow> {
  const { data, error } = await client.rpc("join_call", { mentorship_id: mentorshipId });
  if (error !== null) throw new Error(`join_call: ${error.code} ${error.message}`);
  return callRow.parse(data);
}

/** What a client gets back for a wish: HTTP status, our code where it was refused, the status it became per row found. */
export interface WishAnswer {
  status: number;
  code: string | undefined;
  became: unknown[];
}

/** Writes `recording_status` (and more columns where given) the way the portal does. */
export async function wish(
  client: SupabaseClient,
  callId: string,
  word: string | null,
  beside: Record<string, unknown> = {},
): Promise<WishAnswer> {
  const { data, error, status } = await client
    .from("video_calls")
    .update({ recording_status: word, ...beside })
    .eq("id", callId)
    .select("recording_status");
  return { status, code: error?.code, became: (data ?? []).map((row) => row.recording_status) };
}

/** The answer to a wish that was refused with one of our codes or of the database's. */
export const refused = (status: number, code: string): WishAnswer => ({ status, code, became: [] });
