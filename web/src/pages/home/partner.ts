import type { Mentorship } from "../../backend/people.ts";
import { en } from "../../texts/en.ts";

/** Name of the other person of a mentorship, in words that can stand in a sentence. */
export function partnerName(people: readonly Mentorship[], mentorshipId: string | null): string {
  const name = people.find(({ id }) => id === mentorshipId)?.partner.name ?? "";
  return name === "" ? en.bell.somebody : name;
}
