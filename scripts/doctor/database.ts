import { wakeUpSecrets } from "../../supabase/functions/_shared/config.ts";
import {
  type Check,
  type CronJob,
  type DoctorDeps,
  fine,
  reasonOf,
  settingOf,
  unknown,
  wrong,
} from "./check.ts";
import { verdictOnSkew } from "./clocks.ts";
import { setting } from "./places.ts";

const DEPLOY = "npm run deploy";

const reachable: Check = {
  id: "database.reachable",
  title: "The database can be reached as postgres",
  needs: ["environment.supabase"],
  async run(deps) {
    const why = "Migrations, Vault, pg_net and the scheduler cannot be looked at, nor set.";
    try {
      const [row] = await deps.sql()<{ role: string }[]>`select current_user::text as role`;
      return row?.role === "postgres"
        ? fine()
        : wrong(`The address signs in as ${row?.role}, not as postgres.`, why, setting("SUPABASE_DB_URL"));
    } catch (thrown) {
      const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
      if (code === "28P01" || /Wrong password|password authentication failed/i.test(reasonOf(thrown))) {
        return wrong(
          "The database refuses the password in SUPABASE_DB_URL.",
          why,
          `If nobody knows it: Supabase dashboard, Database, Settings, Reset database password. ${setting("SUPABASE_DB_URL")}`,
        );
      }
      return wrong(
        `The database cannot be reached (${code || reasonOf(thrown)}).`,
        why,
        `The direct connection has IPv6 only: take the Session pooler's address where this network has none. ${setting("SUPABASE_DB_URL")}`,
      );
    }
  },
};

const migrations: Check = {
  id: "database.migrations",
  title: "All migrations of this checkout are applied",
  needs: ["database.reachable"],
  async run(deps) {
    const [table] = await deps.sql()<{ there: boolean }[]>`
      select to_regclass('supabase_migrations.schema_migrations') is not null as there`;
    const rows =
      table?.there === true
        ? await deps.sql()<{ version: string }[]>`select version from supabase_migrations.schema_migrations`
        : [];
    const applied = new Set(rows.map(({ version }) => version));
    const absent = deps.project.migrations.filter((version) => !applied.has(version));
    if (absent.length > 0) {
      return wrong(
        `${absent.length} of ${deps.project.migrations.length} migrations are not applied, the first is ${absent[0]}.`,
        "Tables or functions are missing that the Edge Functions of this checkout use.",
        `${DEPLOY} (its step database).`,
      );
    }
    const newest = deps.project.migrations.at(-1) ?? "";
    const newer = [...applied].filter((version) => version > newest);
    return newer.length === 0
      ? fine(`${deps.project.migrations.length} of them`)
      : wrong(
          `The database has ${newer.length} migrations that are newer than this checkout.`,
          "A deploy from here would put older functions on a newer database.",
          "Check out the newer commit (git pull), then run the doctor again.",
        );
  },
};

/** The names of config.toml's [db.vault] and what they must hold. */
function wantedSecrets(deps: DoctorDeps): Record<string, string> {
  const [wakeUp = ""] = wakeUpSecrets(deps.environment);
  const url = (settingOf(deps, "SUPABASE_URL") ?? "").replace(/\/+$/, "");
  return { functions_url: `${url}/functions/v1`, wake_up_secret: wakeUp };
}

const vault: Check = {
  id: "database.vault",
  title: "Vault has the functions' address and the same WAKE_UP_SECRET as the functions",
  needs: ["database.migrations", "environment.ours"],
  async run(deps) {
    const rows = await deps.sql()<{ name: string; decrypted_secret: string | null }[]>`
      select name, decrypted_secret from vault.decrypted_secrets where name in ('functions_url', 'wake_up_secret')`;
    const present = new Map(rows.map((row) => [row.name, row.decrypted_secret]));
    const problems = Object.entries(wantedSecrets(deps)).flatMap(([name, value]) => {
      if (!present.has(name)) return [`${name} is missing`];
      return present.get(name) === value ? [] : [`${name} is another than .env says`];
    });
    if (problems.length === 0) return fine();
    return wrong(
      `${problems.join("; ")}.`,
      "The database signs its wake-ups with it: they go nowhere or are refused, and recordings wait.",
      "Let it be set by npm run doctor -- --fix (or Supabase dashboard, Integrations, Vault).",
    );
  },
  async fix(deps) {
    const set: string[] = [];
    for (const [name, value] of Object.entries(wantedSecrets(deps))) {
      const [present] = await deps.sql()<{ id: string; is_right: boolean | null }[]>`
        select id, decrypted_secret = ${value} as is_right from vault.decrypted_secrets where name = ${name}`;
      if (present?.is_right === true) continue;
      if (present === undefined) await deps.sql()`select vault.create_secret(${value}, ${name})`;
      else await deps.sql()`select vault.update_secret(${present.id}, ${value})`;
      set.push(name);
    }
    return `${set.join(" and ")} in Vault`;
  },
};

const pgNet: Check = {
  id: "database.pg_net",
  title: "pg_net is there and its worker sends",
  needs: ["database.migrations"],
  async run(deps) {
    const [row] = await deps.sql()<
      { is_ok: boolean; explanation: string }[]
    >`select * from recorder.check_pg_net()`;
    if (row === undefined) return unknown("recorder.check_pg_net() gave nothing.");
    if (row.is_ok) return fine();
    return wrong(
      row.explanation,
      "No wake-up leaves the database: work waits for functions that are called from outside.",
      "Let it be restarted by npm run doctor -- --fix; if that does not help: Supabase dashboard, Project Settings, General, Restart project, Fast database reboot.",
    );
  },
  async fix(deps) {
    await deps.sql()`select net.worker_restart()`;
    await deps.sleep(1_500);
    return "pg_net's worker was restarted";
  },
};

const cronJobs: Check = {
  id: "database.cron_jobs",
  title: "The scheduler has our jobs, as the migrations made them",
  needs: ["database.migrations"],
  async run(deps) {
    const problems = (await wrongJobs(deps)).map(({ name, is }) => `${name} is ${is}`);
    if (problems.length === 0) return fine(`${deps.project.cronJobs.length} jobs`);
    return wrong(
      `${problems.join("; ")}.`,
      "The sweep mends what was lost, and passes deadlines; without it recordings can hang, and files that should be gone stay.",
      "Let them be made by npm run doctor -- --fix.",
    );
  },
  async fix(deps) {
    const jobs = await wrongJobs(deps);
    for (const { name, schedule, command } of jobs) {
      // The same name replaces the job; one that was switched off stays so, and is switched on.
      const [made] = await deps.sql()<
        { id: string }[]
      >`select cron.schedule(${name}, ${schedule}, ${command}) as id`;
      await deps.sql()`select cron.alter_job(job_id => ${made?.id ?? null}, active => true)`;
    }
    return `${jobs.map(({ name }) => name).join(", ")} in the scheduler`;
  },
};

async function wrongJobs(deps: DoctorDeps): Promise<(CronJob & { is: string })[]> {
  const rows = await deps.sql()<(CronJob & { active: boolean })[]>`
    select jobname as name, schedule, command, active from cron.job`;
  return deps.project.cronJobs.flatMap((job) => {
    const present = rows.find(({ name }) => name === job.name);
    if (present === undefined) return [{ ...job, is: "missing" }];
    if (!present.active) return [{ ...job, is: "switched off" }];
    return present.schedule === job.schedule && present.command === job.command
      ? []
      : [{ ...job, is: "another than ours" }];
  });
}

/** The sweep runs every 10 s; a scheduler that has just been given it is not dead yet. */
const FIRST_RUN_MS = 15_000;

const cron: Check = {
  id: "database.cron",
  title: "The scheduler is alive: the sweep has run within the last minute",
  needs: ["database.cron_jobs"],
  async run(deps) {
    const read = async () =>
      (await deps.sql()<{ is_ok: boolean; explanation: string }[]>`select * from recorder.check_cron()`)[0];
    const until = deps.now() + FIRST_RUN_MS;
    let row = await read();
    while (row?.is_ok === false && deps.now() < until && (await neverRan(deps))) {
      await deps.sleep(500);
      row = await read();
    }
    if (row === undefined) return unknown("recorder.check_cron() gave nothing.");
    return row.is_ok
      ? fine()
      : wrong(
          row.explanation,
          "Nothing mends what was lost, no deadline passes, and nothing expires.",
          "A dead scheduler is revived by a reboot: Supabase dashboard, Project Settings, General, Restart project, Fast database reboot. What a failed run says: Integrations, Cron, the job, History.",
        );
  },
};

async function neverRan(deps: DoctorDeps): Promise<boolean> {
  const [row] = await deps.sql()<{ has_run: boolean }[]>`
    select exists (
      select from cron.job j join cron.job_run_details d using (jobid)
      where j.jobname = 'recorder-sweep' and d.end_time is not null) as has_run`;
  return row?.has_run === false;
}

const realtime: Check = {
  id: "database.realtime",
  title: "Private channels follow our policy, and changes of calls and recordings are published",
  needs: ["database.migrations"],
  async run(deps) {
    const [policies] = await deps.sql()<{ ours: number; open: number }[]>`
      select count(*) filter (where roles = '{authenticated}' and cmd = 'SELECT')::int as ours,
        count(*) filter (where roles && '{anon,public}'::name[])::int as open
      from pg_catalog.pg_policies where schemaname = 'realtime' and tablename = 'messages'`;
    const published = await deps.sql()<{ tablename: string }[]>`
      select tablename from pg_catalog.pg_publication_tables where pubname = 'supabase_realtime' and schemaname = 'public'`;
    const absent = ["video_calls", "recordings"].filter(
      (name) => !published.some(({ tablename }) => tablename === name),
    );
    if ((policies?.ours ?? 0) === 0) {
      return wrong(
        "No policy on realtime.messages lets signed-in people into their channels.",
        "Nobody sees a change before the next look.",
        `${DEPLOY} (its step database); the policies are in supabase/migrations.`,
      );
    }
    if ((policies?.open ?? 0) > 0) {
      return wrong(
        "A policy on realtime.messages is for everybody, signed in or not.",
        "Strangers can listen to channels, or write into them.",
        "Take it out: Supabase dashboard, Realtime, Policies. Ours are for authenticated only.",
      );
    }
    if (absent.length > 0) {
      return wrong(
        `${absent.join(" and ")} ${absent.length === 1 ? "is" : "are"} not in the publication supabase_realtime.`,
        "Clients that listen to table changes hear nothing.",
        "Let it be published by npm run doctor -- --fix (or Supabase dashboard, Database, Publications).",
      );
    }
    return fine();
  },
  async fix(deps) {
    const [publication] = await deps.sql()`
      select from pg_catalog.pg_publication where pubname = 'supabase_realtime'`;
    if (publication === undefined) await deps.sql()`create publication supabase_realtime`;
    const published = await deps.sql()<{ tablename: string }[]>`
      select tablename from pg_catalog.pg_publication_tables where pubname = 'supabase_realtime' and schemaname = 'public'`;
    const has = (name: string) => published.some(({ tablename }) => tablename === name);
    if (!has("video_calls"))
      await deps.sql()`alter publication supabase_realtime add table public.video_calls`;
    if (!has("recordings")) await deps.sql()`alter publication supabase_realtime add table public.recordings`;
    return "video_calls and recordings are in the publication supabase_realtime";
  },
};

const clock: Check = {
  id: "database.clock",
  title: "This machine's clock agrees with the database's",
  needs: ["database.reachable"],
  async run(deps) {
    const sentAt = deps.now();
    const [row] = await deps.sql()<{ ms: number }[]>`
      select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms`;
    return verdictOnSkew("the database", (row?.ms ?? sentAt) - (sentAt + deps.now()) / 2);
  },
};

export const databaseChecks: readonly Check[] = [
  reachable,
  migrations,
  vault,
  pgNet,
  cronJobs,
  cron,
  realtime,
  clock,
];
