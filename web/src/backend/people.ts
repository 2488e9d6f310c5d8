import { useQuery } from "@tanstack/react-query";
import * as z from "zod/mini";
import { ask } from "./ask.ts";
import { backend } from "./client.ts";
import type { BackendError } from "./errors.ts";
import { keys } from "./keys.ts";
import { moment, readRow, readRows } from "./rows.ts";

/** One mentorship, as one of its two people sees it. */
export interface Mentorship {
  id: string;
  /** `active`; over are `ended` and `cancelled`, in which calls can be looked back on, but not held. */
  status: string;
  endedAt: string | undefined;
  /** What I am in it. */
  myRole: "mentor" | "mentee";
  me: Person;
  partner: Person;
}

export interface Person {
  /** Id of the mentor or mentee, not of the sign-in. */
  id: string | undefined;
  /** What others see; "" where nobody entered a name. */
  name: string;
}

/** Something that was asked for, as a page shows it. */
export interface Loaded<Data> {
  data: Data | undefined;
  /** `missing`: it was answered that there is no such thing (for this person). */
  status: "loading" | "ready" | "missing" | "error";
  error: BackendError | undefined;
  /** Asks again. */
  refetch(): void;
}

const profile = z.object({ instructor_id: z.nullable(z.uuid()), mentee_id: z.nullable(z.uuid()) });

const mentorship = z.object({
  id: z.uuid(),
  status: z.nullable(z.string()),
  ended_at: z.nullable(moment),
  instructor_id: z.nullable(z.uuid()),
  mentee_id: z.nullable(z.uuid()),
});
const instructor = z.object({ id: z.uuid(), name: z.nullable(z.string()) });
const mentee = z.object({ id: z.uuid(), display_name: z.nullable(z.string()) });

async function fetchMentorships(): Promise<Mentorship[]> {
  const from = backend();
  const [mine, rows, mentors, mentees] = await Promise.all([
    ask(from.rpc("my_profile")),
    ask(from.from("mentorships").select("id,status,ended_at,instructor_id,mentee_id")),
    ask(from.from("instructors").select("id,name")),
    ask(from.from("mentees").select("id,display_name")),
  ]);
  const me = readRow(profile, mine, "The profile");
  const mentorNames = new Map(
    readRows(instructor, mentors, "The mentors").map(({ id, name }) => [id, name ?? ""]),
  );
  const menteeNames = new Map(
    readRows(mentee, mentees, "The mentees").map(({ id, display_name }) => [id, display_name ?? ""]),
  );
  return readRows(mentorship, rows, "The mentorships").map((row): Mentorship => {
    const mentorSide = {
      id: row.instructor_id ?? undefined,
      name: mentorNames.get(row.instructor_id ?? "") ?? "",
    };
    const menteeSide = { id: row.mentee_id ?? undefined, name: menteeNames.get(row.mentee_id ?? "") ?? "" };
    const isMentor = row.instructor_id !== null && row.instructor_id === me.instructor_id;
    return {
      id: row.id,
      status: row.status ?? "active",
      endedAt: row.ended_at ?? undefined,
      myRole: isMentor ? "mentor" : "mentee",
      me: isMentor ? mentorSide : menteeSide,
      partner: isMentor ? menteeSide : mentorSide,
    };
  });
}

/** All mentorships of the signed-in person, active ones first. */
export function useMentorships(): Loaded<Mentorship[]> {
  const query = useQuery({ queryKey: keys.mentorships, queryFn: fetchMentorships });
  return loadedOf(query);
}

/** One mentorship by its id. */
export function useMentorship(id: string | undefined): Loaded<Mentorship> {
  const query = useQuery({ queryKey: keys.mentorships, queryFn: fetchMentorships });
  const found = query.data?.find((row) => row.id === id);
  return loadedOf({ ...query, data: query.data === undefined ? undefined : (found ?? null) });
}

interface QueryState<Data> {
  data: Data | null | undefined;
  error: unknown;
  isPending: boolean;
  refetch(): unknown;
}

/** What a page needs of a query: null data is `missing`, an error beside data that is shown already is none. */
export function loadedOf<Data>({ data, error, isPending, refetch }: QueryState<Data>): Loaded<Data> {
  const again = () => void refetch();
  if (data !== undefined && data !== null) return { data, status: "ready", error: undefined, refetch: again };
  if (data === null) return { data: undefined, status: "missing", error: undefined, refetch: again };
  if (error !== null && error !== undefined) {
    return { data: undefined, status: "error", error: error as BackendError, refetch: again };
  }
  return { data: undefined, status: isPending ? "loading" : "missing", error: undefined, refetch: again };
}
