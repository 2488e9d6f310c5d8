import { createClient, type SupabaseClient } from "@supabase/supabase-js";

/** Who signs in: a mentor of supabase/seed.sql. */
export const demoMentor = { email: "mentor@example.com", password: "recorded-here" };
const seededInstructorId = "11000000-0000-4000-8000-000000000001";

/** `prefix` and a number as a uuid that is the same at every run. */
const numbered = (prefix: string, number: number) =>
  `${prefix}-0000-4000-8000-${String(number).padStart(12, "0")}`;

/**
 * Ids of `count` active mentorships of the demo's mentor. Each can hold one call at a time, so those that the seed does not have are
 * made with the secret key, under ids of their own that the next run finds again.
 */
export async function demoMentorships(
  backend: { url: string; secretKey: string },
  count: number,
): Promise<string[]> {
  const service = createClient(backend.url, backend.secretKey, { auth: { persistSession: false } });
  const ids: string[] = [];
  for (let number = 1; number <= count; number++) {
    const menteeId = numbered("2200dec0", number);
    const mentorshipId = numbered("3300dec0", number);
    const mentee = await service
      .from("mentees")
      .upsert({ id: menteeId, display_name: `Demo mentee ${number}` });
    const mentorship = await service
      .from("mentorships")
      .upsert({ id: mentorshipId, instructor_id: seededInstructorId, mentee_id: menteeId, status: "active" });
    const error = mentee.error ?? mentorship.error;
    if (error !== null) throw new Error(`the demo's people could not be made: ${error.message}`);
    ids.push(mentorshipId);
  }
  return ids;
}

const numberInBrowser = 1;

/**
 * A mentorship of the demo's mentor with a mentee who can sign in too, for a call between two pages: signs the mentee up at the first
 * run, and finds them again at the next.
 */
export async function demoPair(backend: {
  url: string;
  secretKey: string;
  publishableKey: string;
}): Promise<{ mentorshipId: string; mentee: SupabaseClient }> {
  const mentee = createClient(backend.url, backend.publishableKey, { auth: { persistSession: false } });
  const credentials = { email: "demo.mentee@example.com", password: demoMentor.password };
  const known = await mentee.auth.signInWithPassword(credentials);
  const session = known.data.session ?? (await mentee.auth.signUp(credentials)).data.session;
  if (session === null) throw new Error(`${credentials.email} cannot sign in`);
  const service = createClient(backend.url, backend.secretKey, { auth: { persistSession: false } });
  const menteeId = numbered("2200dec1", numberInBrowser);
  const mentorshipId = numbered("3300dec1", numberInBrowser);
  const person = await service
    .from("mentees")
    .upsert({ id: menteeId, user_id: session.user.id, display_name: "Demo mentee" });
  const pair = await service
    .from("mentorships")
    .upsert({ id: mentorshipId, instructor_id: seededInstructorId, mentee_id: menteeId, status: "active" });
  const error = person.error ?? pair.error;
  if (error !== null) throw new Error(`the demo's pair could not be made: ${error.message}`);
  return { mentorshipId, mentee };
}
