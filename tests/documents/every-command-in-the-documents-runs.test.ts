/**
 * A command in a document stands in a block `sh` with one of these words behind it: `runs` (run here, on one stack), `needs-account`
 * (looked at, not run), `by-ci` (the run that this test is part of), `long` (minutes: only its help, or that its files are there).
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { type Stack, startStack } from "../../local/stack/stack.ts";
import { localSource } from "../../scripts/doctor/world.ts";
import {
  blocksOf,
  commandsOf,
  documents,
  looksLikeCommand,
  projectDir,
  statementsOf,
  textOf,
} from "./blocks.ts";

const classes = ["runs", "needs-account", "by-ci", "long"];
const blocks = documents.flatMap((file) => blocksOf(file, textOf(file)));
const shell = blocks.filter(({ info }) => /^(?:sh|bash|shell|console)\b/.test(info));
const of = (name: string) =>
  shell
    .filter(({ info }) => info === `sh ${name}`)
    .flatMap((block) => commandsOf(block).map((command) => ({ place: block.place, command })));

const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(textOf("package.json")));

/** Begun at once, waited for where it is needed: what needs none goes on meanwhile. */
let starting: Promise<Stack>;
let stack: Stack;
let dataDir = "";
let env: Record<string, string> = {};

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "documents-"));
  starting = startStack({ dataDir, ports: "free" });
  // Told where it is waited for; until then a failure must not count as nobody's.
  starting.catch(() => undefined);
});
afterAll(async () => {
  const started = await starting.catch(() => undefined);
  await started?.stop();
  await rm(dataDir, { recursive: true, force: true });
}, 240_000);

/** For what asks the stack for something. */
const withStack = (): void =>
  beforeAll(async () => {
    stack = await starting;
    const source = await localSource(dataDir);
    env = Object.fromEntries(
      Object.entries(source?.variables ?? {}).flatMap(([name, value]) => (value ? [[name, value]] : [])),
    );
  }, 240_000);

describe("the blocks", () => {
  test("there are some of every class", () => {
    for (const name of classes) expect(of(name).length, name).toBeGreaterThan(0);
  });

  test("every block of commands says what becomes of it", () => {
    const named = classes.map((name) => `sh ${name}`);
    expect(
      shell.filter(({ info }) => !named.includes(info)).map(({ place, info }) => `${place} ${info}`),
    ).toEqual([]);
  });

  test("no command stands in a block of another kind", () => {
    const others = blocks.filter((block) => !shell.includes(block));
    const hidden = others.flatMap(({ place, lines }) =>
      lines.filter(looksLikeCommand).map((line) => `${place} ${line}`),
    );
    expect(hidden).toEqual([]);
  });

  test("the reader of blocks finds what it is to find", () => {
    const [block] = blocksOf(
      "x.md",
      "1. do\n\n   ```sh runs\n   npm run doctor   # looks\n   # said\n   ```\n",
    );
    expect(block).toMatchObject({ place: "x.md:3", info: "sh runs" });
    expect(block === undefined ? [] : commandsOf(block)).toEqual(["npm run doctor"]);
    expect(looksLikeCommand("SEED=1 npx vitest run x")).toBe(true);
    expect(() => blocksOf("x.md", "```\n")).toThrow("not closed");
  });
});

describe("every npm script that is named", () => {
  const named = documents.flatMap((file) =>
    [...textOf(file).matchAll(/\bnpm run ([a-z][a-z:-]*)/g)].map(([, script = ""]) => ({ file, script })),
  );
  test("is there", () => {
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter(({ script }) => scripts[script] === undefined)).toEqual([]);
  });

  const options = documents.flatMap((file) =>
    [...textOf(file).matchAll(/\bnpm (?:run )?([a-z][a-z:-]*) -- ((?:[^`\n|]|\n(?!\n))*?)(?=[`\n|])/g)].map(
      ([, script = "", rest = ""]) => ({
        script,
        flags: [...rest.replace(/\s#.*$/, "").matchAll(/(?:^|\s)(--[a-z][a-z-]*)/g)].map(
          ([, flag = ""]) => flag,
        ),
      }),
    ),
  );
  const byScript = new Map<string, Set<string>>();
  for (const { script, flags } of options) {
    for (const flag of flags) byScript.set(script, (byScript.get(script) ?? new Set()).add(flag));
  }
  test.each([...byScript].map(([script, flags]) => [script, [...flags]] as const))(
    "npm run %s has in its help what is written behind it",
    async (script, flags) => {
      const { output } = await inShell(`npm run --silent ${script} -- --help`);
      expect(flags.filter((flag) => !output.includes(flag))).toEqual([]);
    },
  );
});

describe("what is not run here", () => {
  test.each([...of("needs-account"), ...of("by-ci"), ...of("long")])(
    "$place $command is something that there is",
    async ({ command }) => {
      const words = command.replace(/^(?:[A-Z_]+=\S+\s+)+/, "").split(/\s+/);
      const [program, second, third] = words;
      if (program === "npm" && second === "run") expect(scripts[third ?? ""]).toBeDefined();
      else if (program === "npm") expect(["ci", "start", "test"]).toContain(second);
      else if (program === "git") expect(second).toBe("pull");
      else expect(["npx", "node", "bash"]).toContain(program);
      const files = words.filter((word) => /\.(?:ts|sql)$/.test(word));
      expect(files.filter((file) => !existsSync(join(projectDir, file)))).toEqual([]);
    },
  );
});

function inShell(command: string): Promise<{ exitCode: number; output: string }> {
  return new Promise((resolve) => {
    execFile(
      "bash",
      ["-c", command],
      {
        cwd: projectDir,
        env: {
          ...env,
          PATH: [join(projectDir, "node_modules/.bin"), process.env.PATH].join(delimiter),
          HOME: process.env.HOME,
          TMPDIR: tmpdir(),
          NO_COLOR: "1",
          CI: "1",
        },
        maxBuffer: 16 * 1024 * 1024,
      },
      (error, stdout, stderr) =>
        resolve({ exitCode: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr }),
    );
  });
}

describe("what is run", () => {
  withStack();
  const commands = [...new Map(of("runs").map((one) => [one.command, one])).values()];
  test.each(commands)(
    "$command ($place)",
    async ({ command }) => {
      const { exitCode, output } = await inShell(command);
      expect(exitCode, output).toBe(0);
    },
    240_000,
  );
});

describe("statements", () => {
  withStack();
  const statements = blocks
    .filter(({ info }) => info === "" || info === "sql")
    .flatMap((block) => statementsOf(block).map((statement) => ({ place: block.place, statement })));
  // Examples name recordings that are not there, and what an administrator may not do twice: a refusal of ours is an answer.
  const OURS = /^RC[0-9A-Z]{3}$/;

  test("there are some", () => {
    expect(statements.length).toBeGreaterThan(10);
  });

  test.each(statements)("$place is taken by the database: $statement", async ({ statement }) => {
    const sql = postgres(stack.databaseUrls.postgres, { max: 1, onnotice: () => undefined });
    const filled = statement.replaceAll("'…'", "'00000000-0000-4000-8000-000000000000'");
    const rolledBack = new Error("rolled back");
    try {
      await sql.begin(async (transaction) => {
        await transaction.unsafe(filled);
        throw rolledBack;
      });
    } catch (thrown) {
      if (thrown !== rolledBack) {
        expect(
          thrown instanceof Error && "code" in thrown ? String(thrown.code) : String(thrown),
          String(thrown),
        ).toMatch(OURS);
      }
    } finally {
      await sql.end({ timeout: 2 });
    }
  });
});
