/** Brings the database, the settings and the functions to a hosted project. Run by `npm run deploy`; see docs/deploy.md. */
import { execFileSync, spawn } from "node:child_process";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type DeployDeps, deploy } from "./deploy/deploy.ts";
import { databasePasswordOf, planDeploy, projectRefOf, type StepName } from "./deploy/plan.ts";
import { examine } from "./doctor/check.ts";
import { databaseChecks } from "./doctor/database.ts";
import { environmentChecks } from "./doctor/environment.ts";
import { everyCheck } from "./doctor/every-check.ts";
import { readProject } from "./doctor/project.ts";
import { reportText, secretValues, withoutSecrets } from "./doctor/report.ts";
import { createWorld, fileSource, type Source } from "./doctor/world.ts";

const projectDir = dirname(import.meta.dirname);
const CLI = join(projectDir, "node_modules/supabase/dist/supabase.js");
const stepNames = planDeploy("", []).map(({ name }) => name);

const help = `Brings the database, the settings and the functions to a hosted Supabase project, and looks whether all is well.

  npm run deploy -- [options]

  --dry-run         print every step and command, and run nothing
  --env-file FILE   the settings (default: .env)
  --from STEP       begin here, whatever was done before: ${stepNames.join(", ")}
  --again           do everything, whatever was done before
  --help            this text

It needs SUPABASE_URL, SUPABASE_ACCESS_TOKEN and the settings that npm run doctor asks for. It ends at the first step that
fails; the same command goes on from there. Done steps are noted in .local/deploy, for the project, the commit and the
settings. Nothing secret stands on a command line.`;

const { values } = parseArgs({
  options: {
    "dry-run": { type: "boolean", default: false },
    "env-file": { type: "string", default: join(projectDir, ".env") },
    from: { type: "string" },
    again: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

if (values.help) console.log(help);
else process.exitCode = await main();

async function main(): Promise<number> {
  const from = stepNames.find((name) => name === values.from);
  if (values.from !== undefined && from === undefined) {
    console.error(`There is no step "${values.from}"; there are ${stepNames.join(", ")}.`);
    return 1;
  }
  const source = await fileSource(resolve(values["env-file"]), process.env);
  const { variables } = source;
  const projectRef =
    projectRefOf(variables.SUPABASE_URL ?? "") ?? (values["dry-run"] ? "<project>" : undefined);
  if (projectRef === undefined) {
    console.error(
      "SUPABASE_URL must be https://<project>.supabase.co (Supabase dashboard, Project Settings, Data API, Project URL).",
    );
    return 1;
  }
  if (!values["dry-run"] && variables.SUPABASE_ACCESS_TOKEN === undefined) {
    console.error(
      "Set SUPABASE_ACCESS_TOKEN in .env (Supabase dashboard, Account, Access Tokens, Generate new token).",
    );
    return 1;
  }
  const project = await readProject(projectDir);
  const commit = commitOf(projectDir);
  if (commit === undefined)
    console.log("Files differ from the last commit: every step is done, whatever was done before.");
  const outcome = await deploy(
    {
      projectRef,
      commit: values.again ? undefined : commit,
      settings: settingsOf(source),
      functions: project.functions.map(({ name }) => name),
      stateFile: join(projectDir, ".local", "deploy", `${projectRef}.json`),
      isDryRun: values["dry-run"],
      from: from as StepName | undefined,
    },
    depsOf(source, project),
  );
  if (values["dry-run"]) console.log("Nothing was run.");
  else if (outcome.failed === undefined) console.log("Deployed, and the doctor finds everything fine.");
  return outcome.failed === undefined ? 0 : 1;
}

/** The settings of the file, without what else is in this process' environment. */
function settingsOf({ variables }: Source): Record<string, string | undefined> {
  const ours =
    /^(AGORA_|NEXT_PUBLIC_AGORA_|BACKBLAZE_B2_|STAGING_S3_|SUPABASE_|WAKE_UP_|PLAYBACK_|CALL_TRANSPORT|NOTIFY_|ALERT_|HEALTH_|PORTAL_URL)/;
  return Object.fromEntries(Object.entries(variables).filter(([name]) => ours.test(name)));
}

/** The commit of the files that are deployed; undefined where they differ from it, or where there is no repository. */
function commitOf(folder: string): string | undefined {
  const git = (...args: string[]) =>
    execFileSync("git", args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  try {
    return git("status", "--porcelain", "--", "supabase") === "" ? git("rev-parse", "HEAD") : undefined;
  } catch {
    return undefined;
  }
}

function depsOf(source: Source, project: Awaited<ReturnType<typeof readProject>>): DeployDeps {
  const secrets = () =>
    secretValues({ ...source.variables, PASSWORD: databasePasswordOf(source.variables.SUPABASE_DB_URL) });
  const say = (line: string) => console.log(withoutSecrets(line, secrets()));
  return {
    say,
    now: () => new Date(),
    cli: (args, variables) =>
      new Promise((done, fail) => {
        const child = spawn(process.execPath, [CLI, ...args, "--workdir", projectDir, "--agent", "no"], {
          stdio: "inherit",
          env: {
            PATH: process.env.PATH,
            HOME: process.env.HOME,
            SUPABASE_TELEMETRY_DISABLED: "1",
            ...variables,
          },
        });
        child.once("error", fail);
        child.once("close", (code) => done(code ?? 1));
      }),
    async doctor(what) {
      const { deps, end } = createWorld(source, project);
      try {
        const checks =
          what === "everything"
            ? everyCheck
            : what === "settings"
              ? environmentChecks
              : [
                  ...environmentChecks,
                  ...databaseChecks.filter(({ id }) => /reachable|migrations|vault/.test(id)),
                ];
        const examined = await examine(checks, deps, { fix: what === "vault" });
        // The console shows the secret of the notifications only once the function answers there.
        const isTolerated = (id: string) => what !== "everything" && id === "environment.webhook";
        const left = examined.filter(
          ({ check, finding }) => finding.is === "wrong" && !isTolerated(check.id),
        );
        if (left.length > 0 || what === "everything")
          say(reportText(what === "everything" ? examined : left, 0));
        return left.length === 0;
      } finally {
        await end();
      }
    },
  };
}
