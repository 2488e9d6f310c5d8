/** Looks at every setting and service, and says what is wrong and where it is mended. Run by `npm run doctor`. */
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { examine } from "./doctor/check.ts";
import { everyCheck } from "./doctor/every-check.ts";
import { readProject } from "./doctor/project.ts";
import { exitCodeOf, reportJson, reportText, secretValues, withoutSecrets } from "./doctor/report.ts";
import { createWorld, fileSource, localSource, type Source } from "./doctor/world.ts";

const projectDir = dirname(import.meta.dirname);

const help = `Looks at every setting and service, and says what is wrong, why it matters and where it is mended.

  npm run doctor -- [options]

  --fix             set what can be set from here: our own secrets in .env, CORS and lifecycle rules of the
                    bucket, Vault, the scheduler's jobs, the publication; says what it did
  --json            one object instead of a text
  --only NAME       only checks whose name begins so: environment, agora, storage, supabase, database, or one
                    check (can be given several times)
  --local           look at the local stack, also where .env names a hosted project
  --data DIR        the local stack's folder (default: .local)
  --env-file FILE   the settings (default: .env)
  --help            this text

Without options it looks at the hosted project that .env names (SUPABASE_URL); where it names none, at the local stack
that npm start runs. Exit code 0: all fine; 1: something is wrong; 2: something could not be asked.
It writes one object into the bucket and deletes it, asks Agora for a recorder that it does not start, and wakes the
lanes once. Nothing secret is printed.`;

const { values } = parseArgs({
  options: {
    fix: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    local: { type: "boolean", default: false },
    data: { type: "string", default: join(projectDir, ".local") },
    "env-file": { type: "string", default: join(projectDir, ".env") },
    help: { type: "boolean", short: "h", default: false },
  },
});

if (values.help) console.log(help);
else process.exitCode = await main();

async function main(): Promise<number> {
  const source = await sourceOfSettings();
  if (source === undefined) {
    console.error("No local stack runs there: start it with npm start, or leave --local out.");
    return 2;
  }
  const checks = everyCheck.filter(
    ({ id }) =>
      values.only.length === 0 || values.only.some((name) => id === name || id.startsWith(`${name}.`)),
  );
  if (checks.length === 0) {
    console.error(`There is no such check; there are ${everyCheck.map(({ id }) => id).join(", ")}.`);
    return 2;
  }
  const since = performance.now();
  const { deps, end } = createWorld(source, await readProject(projectDir));
  try {
    // Checks that others need are examined too, but told only when asked for.
    const examined = await examine(everyCheck.filter(isWanted(checks)), deps, { fix: values.fix });
    const told = examined.filter(({ check }) => checks.includes(check));
    const tookMs = performance.now() - since;
    const text = values.json
      ? reportJson(told, tookMs)
      : `Looking at ${source.name}\n\n${reportText(told, tookMs)}`;
    console.log(withoutSecrets(text, secretValues(source.variables)));
    return exitCodeOf(told);
  } finally {
    await end();
  }
}

/** The checks and everything they need, however far. */
function isWanted(checks: typeof everyCheck): (check: (typeof everyCheck)[number]) => boolean {
  const wanted = new Set<string>();
  const want = (id: string) => {
    if (wanted.has(id)) return;
    wanted.add(id);
    for (const needed of everyCheck.find((check) => check.id === id)?.needs ?? []) want(needed);
  };
  for (const { id } of checks) want(id);
  return ({ id }) => wanted.has(id);
}

async function sourceOfSettings(): Promise<Source | undefined> {
  const dataDir = resolve(values.data);
  if (values.local) return await localSource(dataDir);
  const file = await fileSource(resolve(values["env-file"]), process.env);
  if (file.variables.SUPABASE_URL !== undefined) return file;
  return (await localSource(dataDir)) ?? file;
}
