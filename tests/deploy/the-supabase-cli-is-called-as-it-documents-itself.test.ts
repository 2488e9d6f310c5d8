/** A deploy up to the CLI's command lines: what is called, in which order, with what, and how it goes on after a failure. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type DeployDeps, type DeployOptions, deploy } from "../../scripts/deploy/deploy.ts";
import { functionSecrets, planDeploy, projectRefOf } from "../../scripts/deploy/plan.ts";
import { readProject } from "../../scripts/doctor/project.ts";
import { secretValues, withoutSecrets } from "../../scripts/doctor/report.ts";
import * as config from "../../supabase/functions/_shared/config.ts";

const projectDir = join(import.meta.dirname, "../..");
const REF = "abcdefghijklmnopqrst";
const { functions } = await readProject(projectDir);

const settings = {
  SUPABASE_URL: `https://${REF}.supabase.co`,
  SUPABASE_ACCESS_TOKEN: "sbp_0123456789abcdef0123456789abcdef01234567",
  SUPABASE_SECRET_KEY: "sb_secret_only_for_the_doctor_xxxxx",
  SUPABASE_DB_URL: `postgresql://postgres.${REF}:p%40ss-word@pooler.example.com:5432/postgres`,
  PORTAL_URL: "https://portal.example.com",
  WAKE_UP_SECRET:
    "whsec_bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmU=,whsec_b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2w=",
  AGORA_CUSTOMER_SECRET: "it's a secret",
  BACKBLAZE_B2_SECRET_ACCESS_KEY: "K005/+abc # no comment",
  BACKBLAZE_B2_ADMIN_SECRET_ACCESS_KEY: "K005-for-this-machine-only",
};
const secrets = Object.entries(settings).flatMap(([name, value]) => (/URL$/.test(name) ? [] : [value]));

interface Call {
  args: readonly string[];
  variables: Readonly<Record<string, string>>;
  /** What the file of --env-file held. */
  given?: Record<string, string | undefined>;
  mode?: number;
}

let folder = "";
let calls: Call[] = [];
let doctored: string[] = [];
let said: string[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "deploy-test-"));
  calls = [];
  doctored = [];
  said = [];
});
afterEach(() => rm(folder, { recursive: true }));

/** Writes down what it is called with, as strict as the real one about flags (see below). */
function recordingDeps(failsAt?: string): DeployDeps {
  return {
    async cli(args, variables) {
      const file = args[args.indexOf("--env-file") + 1];
      const call: Call = { args, variables };
      if (args.includes("--env-file") && file !== undefined) {
        call.given = parseEnv(await readFile(file, "utf8"));
        call.mode = (await stat(file)).mode & 0o777;
      }
      calls.push(call);
      return args.join(" ").startsWith(failsAt ?? "nothing") ? 1 : 0;
    },
    async doctor(what) {
      doctored.push(what);
      return failsAt !== `doctor ${what}`;
    },
    say: (line) => said.push(line),
    now: () => new Date("2026-11-22T12:00:00Z"),
  };
}

const options = (change: Partial<DeployOptions> = {}): DeployOptions => ({
  projectRef: REF,
  commit: "c0ffee",
  settings,
  functions: functions.map(({ name }) => name),
  stateFile: join(folder, "state.json"),
  isDryRun: false,
  ...change,
});
const commands = () =>
  calls.map(({ args }) =>
    args
      .slice(0, 2)
      .filter((arg) => !arg.startsWith("-"))
      .join(" "),
  );

describe("the order", () => {
  test("is settings, link, config, database, Vault, secrets, functions, checks", async () => {
    const outcome = await deploy(options(), recordingDeps());
    expect(outcome).toEqual({
      done: ["settings", "link", "config", "database", "vault", "secrets", "functions", "checks"],
      skipped: [],
    });
    expect(commands()).toEqual(["link", "config push", "db push", "secrets set", "functions deploy"]);
    expect(doctored).toEqual(["settings", "vault", "everything"]);
  });

  test("every function of the repository is uploaded by name", async () => {
    await deploy(options(), recordingDeps());
    for (const { name } of functions) expect(calls.at(-1)?.args).toContain(name);
    expect(functions.length).toBeGreaterThan(5);
  });

  test("a dry run says all of it and does none", async () => {
    await deploy(options({ isDryRun: true }), recordingDeps());
    expect([calls, doctored]).toEqual([[], []]);
    for (const words of [
      "supabase link",
      "supabase config push",
      "supabase db push",
      "supabase secrets set",
      "supabase functions deploy",
      "npm run doctor",
    ]) {
      expect(said.join("\n")).toContain(words);
    }
    expect(secrets.filter((secret) => said.join("\n").includes(secret))).toEqual([]);
  });
});

describe("what fails", () => {
  test.each([
    ["doctor settings", "settings", 0],
    ["link", "link", 1],
    ["config push", "config", 2],
    ["db push", "database", 3],
    ["secrets set", "secrets", 4],
    ["functions deploy", "functions", 5],
  ])("at %s nothing after it is done", async (failsAt, failed, ran) => {
    expect(await deploy(options(), recordingDeps(failsAt))).toMatchObject({ failed });
    expect(calls).toHaveLength(ran);
  });

  test("is where the same command goes on", async () => {
    await deploy(options(), recordingDeps("secrets set"));
    calls = [];
    const outcome = await deploy(options(), recordingDeps());
    expect(commands()).toEqual(["secrets set", "functions deploy"]);
    expect(outcome.skipped).toEqual(["link", "config", "database", "vault"]);
    // Looking is never left out.
    expect(outcome.done).toEqual(["settings", "secrets", "functions", "checks"]);
  });

  test("another commit, another project or --again does everything again", async () => {
    await deploy(options(), recordingDeps());
    for (const change of [
      { commit: "decaf" },
      { projectRef: "tsrqponmlkjihgfedcba" },
      { commit: undefined },
    ]) {
      calls = [];
      await deploy(options(change), recordingDeps());
      expect(commands()).toHaveLength(5);
    }
  });

  test("a changed setting is given to config, Vault and functions, and nothing is uploaded again", async () => {
    await deploy(options(), recordingDeps());
    calls = [];
    await deploy(
      options({ settings: { ...settings, AGORA_WEBHOOK_SECRET: "now the console shows it" } }),
      recordingDeps(),
    );
    expect(commands()).toEqual(["config push", "secrets set"]);
  });

  test("--from begins at a step, whatever was done", async () => {
    await deploy(options({ from: "functions" }), recordingDeps());
    expect(commands()).toEqual(["functions deploy"]);
  });
});

describe("secrets", () => {
  test("never stand on a command line, nor in the state", async () => {
    await deploy(options(), recordingDeps());
    const lines = calls.map(({ args }) => args.join(" ")).join("\n");
    const state = await readFile(join(folder, "state.json"), "utf8");
    expect(secrets.filter((secret) => `${lines}${state}`.includes(secret))).toEqual([]);
    expect(`${lines}${state}`).not.toContain("p@ss-word");
  });

  test("reach the functions in a file that only its owner can read and that is gone afterwards", async () => {
    await deploy(options(), recordingDeps());
    const call = calls.find(({ args }) => args[0] === "secrets");
    expect(call?.mode).toBe(0o600);
    expect(call?.given).toEqual({
      AGORA_CUSTOMER_SECRET: settings.AGORA_CUSTOMER_SECRET,
      BACKBLAZE_B2_SECRET_ACCESS_KEY: settings.BACKBLAZE_B2_SECRET_ACCESS_KEY,
      WAKE_UP_SECRET: settings.WAKE_UP_SECRET,
    });
    await expect(stat(call?.args[call.args.indexOf("--env-file") + 1] ?? "")).rejects.toThrow("ENOENT");
  });

  test("of this machine stay here: the platform's own, and the key that may change the bucket", () => {
    expect(
      Object.keys(functionSecrets(settings)).filter((name) => /^SUPABASE_|ADMIN|PORTAL/.test(name)),
    ).toEqual([]);
  });

  test("whatever a function reads of its own settings, a deploy gives to it", () => {
    const asked = new Set<string>();
    const environment = {
      get(name: string) {
        asked.add(name);
        // Set, so that whoever reads one half of a pair looks for the other.
        return /_(?:SECRET_ACCESS_KEY|ACCESS_KEY_ID|ENDPOINT|URL)$/.test(name) ? "x" : undefined;
      },
    };
    const readers: Record<string, ((from: typeof environment) => unknown)[]> = {
      engineSettings: [config.engineSettings],
      callSettings: [config.callSettings],
      webhookSecrets: [config.webhookSecrets],
      wakeUpSecrets: [config.wakeUpSecrets],
      ingestSettings: [config.ingestSettings],
      playbackSettings: [config.playbackSettings],
      notifySettings: [config.notifySettings],
      healthSecrets: [config.healthSecrets],
      alertWebhook: [config.alertWebhook],
      stagingSettings: (["storage", "ingest"] as const).map(
        (use) => (from) => config.stagingSettings(from, use),
      ),
      bucketSettings: (["storage", "ingest", "playback"] as const).map(
        (use) => (from) => config.bucketSettings(from, use),
      ),
      // What this one reads the platform sets.
      supabaseSettings: [],
      placeOf: [],
    };
    expect(Object.keys(readers).sort()).toEqual(Object.keys(config).sort());
    for (const read of Object.values(readers).flat()) {
      try {
        read(environment);
      } catch {
        // Only the names matter.
      }
    }
    expect(asked.size).toBeGreaterThan(20);
    const given = functionSecrets(Object.fromEntries([...asked].map((name) => [name, "x"])));
    expect([...asked].filter((name) => given[name] === undefined)).toEqual([]);
  });

  test("the address of alerts is one of them: whoever has it can write into the chat", () => {
    const address = "https://hooks.example.com/services/T0/B0/x";
    const said = withoutSecrets(`POST ${address}: 404`, secretValues({ ALERT_WEBHOOK_URL: address }));
    expect(said).toBe("POST [secret]: 404");
  });

  test("Vault gets the secret that signs, and the database's password comes out of its address", async () => {
    await deploy(options(), recordingDeps());
    const push = calls.find(({ args }) => args[0] === "db");
    expect(push?.variables).toEqual({
      SUPABASE_ACCESS_TOKEN: settings.SUPABASE_ACCESS_TOKEN,
      SUPABASE_DB_PASSWORD: "p@ss-word",
      PORTAL_URL: settings.PORTAL_URL,
      PORTAL_SIGN_IN_URL: "https://portal.example.com/sign-in",
      FUNCTIONS_URL: `https://${REF}.supabase.co/functions/v1`,
      WAKE_UP_SECRET: settings.WAKE_UP_SECRET.split(",")[0],
    });
  });

  test("every variable that config.toml names is given to every command", async () => {
    const config = await readFile(join(projectDir, "supabase/config.toml"), "utf8");
    const named = [...config.matchAll(/"env\((\w+)\)"/g)].map(([, name]) => name);
    expect(named.length).toBeGreaterThan(2);
    await deploy(options(), recordingDeps());
    for (const { variables } of calls) expect(Object.keys(variables)).toEqual(expect.arrayContaining(named));
  });
});

test("a deploy changes nothing about who may sign up by mail: the project's own setting stays", async () => {
  const declared = await readFile(join(projectDir, "supabase/config.toml"), "utf8");
  expect(declared).not.toMatch(/^\s*(?:\[auth\.email\]|enable_signup|enable_confirmations)/m);
});

test("only the address of a hosted project names one", () => {
  expect(projectRefOf(settings.SUPABASE_URL)).toBe(REF);
  for (const other of [
    "http://127.0.0.1:54321",
    `https://supabase.com/dashboard/project/${REF}`,
    "",
    `https://${REF}.supabase.co.evil.example`,
  ]) {
    expect(projectRefOf(other)).toBeUndefined();
  }
});

describe("the real CLI", () => {
  const steps = planDeploy(
    REF,
    functions.map(({ name }) => name),
  );
  const lines = steps.flatMap(({ does }) =>
    does.kind === "cli" ? does.commands.map(({ args }) => args) : [],
  );

  test.each(
    lines.map(
      (args) =>
        [
          args
            .slice(0, 2)
            .filter((arg) => !arg.startsWith("-"))
            .join(" "),
          args,
        ] as const,
    ),
  )("knows %s with every flag that it is given", async (name, args) => {
    const help = await helpOf(name.split(" "));
    expect(help).toContain(`supabase ${name}`);
    const flags = args.filter((arg) => arg.startsWith("--")).map((arg) => arg.split("=")[0] ?? arg);
    expect(flags.length).toBeGreaterThan(0);
    for (const flag of [...flags, "--workdir", "--agent"]) {
      expect(help, `${flag} of supabase ${name}`).toMatch(new RegExp(`^\\s+${flag}[\\s,[]`, "m"));
    }
    // A value must follow where the help says so, and must not where it does not.
    for (const [, flag] of help.matchAll(/^\s+(--[a-z-]+)(?:, -\w)? string/gm)) {
      const at = args.indexOf(flag ?? "");
      if (at >= 0) expect(args[at + 1]).not.toMatch(/^--/);
    }
  });

  test("refuses a flag that there is not", async () => {
    await expect(helpOf(["db", "push", "--no-such-flag"])).resolves.not.toMatch(/^\s+--no-such-flag/m);
  });
});

async function helpOf(command: string[]): Promise<string> {
  const cli = join(projectDir, "node_modules/supabase/dist/supabase.js");
  return await new Promise((resolve) => {
    execFile(
      process.execPath,
      [cli, ...command, "--help"],
      { env: { PATH: process.env.PATH, HOME: folder, SUPABASE_TELEMETRY_DISABLED: "1", NO_COLOR: "1" } },
      (_error, stdout, stderr) => resolve(stdout + stderr),
    );
  });
}
