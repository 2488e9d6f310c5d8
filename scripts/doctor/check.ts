import type postgres from "postgres";
import type { Environment } from "../../supabase/functions/_shared/config.ts";
import { RecorderFailure } from "../../supabase/functions/_shared/errors.ts";

/**
 * What one check found. `wrong` says what is so, why it matters and where exactly it is mended; `unknown`, why nothing
 * could be learnt. None of the texts may hold a secret.
 */
export type Finding =
  | { is: "fine"; note?: string }
  | { is: "wrong"; what: string; why: string; todo: string }
  | { is: "unknown"; reason: string };

export type Subject = "environment" | "agora" | "storage" | "supabase" | "database";

/** One item that the doctor looks at. */
export interface Check {
  /** `subject.item`: stable, for machines. */
  id: string;
  /** What is so when all is well, as a sentence. */
  title: string;
  /** Checks that must be fine before this one can learn anything. */
  needs?: readonly string[];
  run(deps: DoctorDeps): Promise<Finding>;
  /** Sets what is wrong, where that can be done from here, and says in a sentence what it did. May be repeated. */
  fix?(deps: DoctorDeps): Promise<string>;
}

/** The project as the files around the doctor say it should be. */
export interface Project {
  /** Names of the functions that a deploy uploads, with what config.toml says of them. */
  functions: readonly { name: string; verifyJwt: boolean }[];
  /** Versions of the migrations, in their order. */
  migrations: readonly string[];
  /** Jobs of the scheduler that the migrations make. */
  cronJobs: readonly CronJob[];
}

export interface CronJob {
  name: string;
  schedule: string;
  command: string;
}

/** The world as the doctor finds it. */
export interface DoctorDeps {
  environment: Environment;
  project: Project;
  fetch: typeof fetch;
  /** The database as `postgres`; throws where it cannot be reached. One connection for the whole visit. */
  sql(): postgres.Sql;
  /** Joins a private channel as somebody who has not signed in; gives how it ended. */
  joinAsStranger(
    url: string,
    publishableKey: string,
    topic: string,
  ): Promise<"joined" | "refused" | "silent">;
  /** Writes a setting to the file that the settings come from, and uses it from then on; throws where there is none. */
  saveSetting(name: string, value: string): Promise<void>;
  /** Milliseconds since 1970. */
  now(): number;
  sleep(ms: number): Promise<void>;
  random(): number;
  newId(): string;
}

export interface Examined {
  check: Check;
  finding: Finding;
  /** What `fix` said it did; the finding is the one after it. */
  fixed?: string;
}

export const fine = (note?: string): Finding => (note === undefined ? { is: "fine" } : { is: "fine", note });
export const unknown = (reason: string): Finding => ({ is: "unknown", reason });
export const wrong = (what: string, why: string, todo: string): Finding => ({ is: "wrong", what, why, todo });

/** No check may keep the others waiting, ms. */
const LONGEST_CHECK_MS = 20_000;

/**
 * Examines everything, side by side where one does not need the other. With `fix`, what is wrong and can be set is set
 * and examined again. Never rejects: a check that throws is unknown, with the reason.
 */
export async function examine(
  checks: readonly Check[],
  deps: DoctorDeps,
  options: { fix: boolean },
): Promise<Examined[]> {
  const begun = new Map<string, Promise<Examined>>();
  const begin = (check: Check): Promise<Examined> => {
    const present = begun.get(check.id);
    if (present !== undefined) return present;
    const examined = examineOne(check, deps, options, async (id) => {
      const needed = checks.find((candidate) => candidate.id === id);
      return needed === undefined ? undefined : await begin(needed);
    });
    begun.set(check.id, examined);
    return examined;
  };
  return await Promise.all(checks.map(begin));
}

async function examineOne(
  check: Check,
  deps: DoctorDeps,
  { fix }: { fix: boolean },
  examined: (id: string) => Promise<Examined | undefined>,
): Promise<Examined> {
  for (const id of check.needs ?? []) {
    const needed = await examined(id);
    if (needed !== undefined && needed.finding.is !== "fine") {
      return { check, finding: unknown(`Not asked before this is fine: ${needed.check.title}.`) };
    }
  }
  const first = await guarded(check, deps);
  if (!fix || check.fix === undefined || first.is !== "wrong") return { check, finding: first };
  try {
    const fixed = await check.fix(deps);
    return { check, finding: await guarded(check, deps), fixed };
  } catch (thrown) {
    return {
      check,
      finding: { ...first, what: `${first.what} It could not be set from here: ${reasonOf(thrown)}.` },
    };
  }
}

async function guarded(check: Check, deps: DoctorDeps): Promise<Finding> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding>((resolve) => {
    timer = setTimeout(() => resolve(unknown("No answer in time.")), LONGEST_CHECK_MS);
  });
  try {
    return await Promise.race([check.run(deps), late]);
  } catch (thrown) {
    return unknown(`It could not be asked: ${reasonOf(thrown).replace(/\.+$/, "")}.`);
  } finally {
    clearTimeout(timer);
  }
}

/** What was thrown, in words, with its cause, which is where fetch tells the reason. */
export function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  if (thrown instanceof RecorderFailure) {
    const { code, message, detail } = thrown.error;
    return detail === undefined ? `${message} (${code})` : `${message} ${detail}`;
  }
  const cause =
    thrown.cause instanceof Error && thrown.cause.message !== "" ? ` (${thrown.cause.message})` : "";
  return `${thrown.message || thrown.name}${cause}`;
}

/** A setting that counts: not there and empty are the same, and nobody means the spaces around it. */
export function settingOf(
  { environment }: Pick<DoctorDeps, "environment">,
  name: string,
): string | undefined {
  return environment.get(name)?.trim() || undefined;
}
