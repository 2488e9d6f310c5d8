import { expect, test } from "vitest";
import { parseStartOptions, startHelp } from "../options.ts";
import { defaultPorts } from "../ports.ts";

const defaults = { dataDir: "/project/.local", envFile: "/project/.env", projectDir: "/project" };
const parse = (...args: string[]) => parseStartOptions(args, "/home/someone", defaults);

test("without options the defaults hold", () => {
  expect(parse()).toEqual({
    help: false,
    dataDir: "/project/.local",
    envFile: "/project/.env",
    ports: defaultPorts,
    reset: false,
    shownParts: "all",
    quiet: false,
    memory: false,
  });
});

test("every option is taken", () => {
  expect(
    parse("--data", "here", "--port", "4000", "--b2-port", "4001", "--reset", "--logs", "net,cron", "-q"),
  ).toEqual({
    ...parse(),
    dataDir: "/home/someone/here",
    ports: { ...defaultPorts, gateway: 4000, b2: 4001 },
    reset: true,
    shownParts: ["net", "cron"],
    quiet: true,
  });
  expect(parse("--free-ports").ports).toBe("free");
  expect(parse("--stand-ins").envFile).toBeUndefined();
});

test.each([
  [["--prot", "1"], "Unknown option '--prot': npm start -- --help lists the options."],
  [["--port"], "Option '--port <value>' argument missing: npm start"],
  [["stray"], "Unexpected argument 'stray'"],
  [["--port", "80000"], "--port 80000 is not a port: a number from 1 to 65535 is wanted."],
  [["--port", "0x10"], "--port 0x10 is not a port"],
  [
    ["--port", "54422"],
    "gateway and postgres cannot both have port 54422: change one with --postgres-port N.",
  ],
  [["--port", "1", "--free-ports"], "--free-ports and a chosen port exclude each other"],
  [["--env", "x", "--stand-ins"], "--env and --stand-ins exclude each other"],
  [["--logs", "gatway"], '--logs gatway: there is no part "gatway"; there are postgres, gateway'],
])("%j is refused in one sentence", (args, sentence) => {
  expect(() => parse(...args)).toThrow(sentence);
});

test("--help names every option with its default", () => {
  const help = startHelp(defaults);
  expect(parse("--help").help).toBe(true);
  for (const option of [
    "--data DIR",
    "--reset",
    "--port N",
    "--free-ports",
    "--env FILE",
    "--stand-ins",
    "--memory",
  ]) {
    expect(help).toContain(option);
  }
  for (const port of Object.values(defaultPorts)) expect(help).toContain(String(port));
  expect(help).toContain("default .local");
});
