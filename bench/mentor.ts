import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { z } from "zod";
import { demoMentor, demoMentorships } from "../demo/people.ts";
import type { Stack } from "../local/stack/stack.ts";

/** A signed-in person, as the portal's browser is one. */
export interface Mentor {
  client: SupabaseClient;
  /** Opens a call of its own mentorship and gives its id. */
  joinCall(): Promise<string>;
  endCall(callId: string): Promise<void>;
  /** Writes a wish and resolves with the answer. */
  wish(callId: string, word: "starting" | "stopping"): Promise<void>;
  leave(): Promise<void>;
}

const joinedCall = z.object({ id: z.uuid() });

/** Signs the seeded mentor in with supabase-js. */
export async function signInMentor(stack: Stack): Promise<Mentor> {
  const [mentorshipId] = await demoMentorships(stack, 1);
  const client = createClient(stack.url, stack.publishableKey, {
    auth: { persistSession: false, autoRefreshToken: false },
  });
  const { data, error } = await client.auth.signInWithPassword(demoMentor);
  if (error !== null) throw new Error(`${demoMentor.email} cannot sign in: ${error.message}`);
  await client.realtime.setAuth(data.session.access_token);
  return {
    client,
    async joinCall() {
      const answer = await client.rpc("join_call", { mentorship_id: mentorshipId });
      if (answer.error !== null) throw new Error(`joining the call was refused: ${answer.error.message}`);
      return joinedCall.parse(answer.data).id;
    },
    async endCall(callId) {
      const answer = await client.rpc("end_call", { call_id: callId });
      if (answer.error !== null) throw new Error(`ending the call was refused: ${answer.error.message}`);
    },
    async wish(callId, word) {
      const answer = await client.from("video_calls").update({ recording_status: word }).eq("id", callId);
      if (answer.error !== null) throw new Error(`the wish ${word} was refused: ${answer.error.message}`);
    },
    async leave() {
      await client.removeAllChannels();
      await client.auth.signOut({ scope: "local" });
      client.realtime.disconnect();
    },
  };
}
