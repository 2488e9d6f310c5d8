import { createClient } from "@supabase/supabase-js";

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
