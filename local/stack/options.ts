import { relative, resolve } from "node:path";
import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { defaultPorts, type ListeningPart, listeningParts, type Ports, portOptionOf } from "./ports.ts";
import { PlainFailure } from "./sentence.ts";

/** What `npm start -- …` asks for. */
export interface StartOptions {
  help: boolean;
  dataDir: string;
  envFile: string | undefined;
  ports: Ports | "free";
  reset: boolean;
  /** Whose lines are shown at the terminal; the files under `<data>/logs` hold all of them anyway. */
  shownParts: "all" | "none" | string[];
  quiet: boolean;
  memory: boolean;
}

/** Where options that are not given point to. */
export interface OptionDefaults {
  dataDir: string;
  envFile: string;
  projectDir: string;
}

const portOptions = Object.fromEntries(
  listeningParts.map((part) => [portOptionOf(part).slice(2), { type: "string" }] as const),
);

const accepted = {
  help: { type: "boolean", short: "h" },
  data: { type: "string" },
  env: { type: "string" },
  "stand-ins": { type: "boolean" },
  "free-ports": { type: "boolean" },
  reset: { type: "boolean" },
  logs: { type: "string" },
  quiet: { type: "boolean", short: "q" },
  memory: { type: "boolean" },
  ...portOptions,
} satisfies ParseArgsOptionsConfig;

/**
 * Reads the command line of `npm start`. Relative paths are taken from `cwd`.
 *
 * @throws PlainFailure naming the option that is not understood.
 */
export function parseStartOptions(args: string[], cwd: string, defaults: OptionDefaults): StartOptions {
  const values = read(args);
  const text = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === "string" ? value : undefined;
  };
  const chosenPorts = Object.fromEntries(
    listeningParts.flatMap((part) => {
      const given = text(portOptionOf(part).slice(2));
      return given === undefined ? [] : [[part, portOf(portOptionOf(part), given)] as const];
    }),
  ) as Partial<Ports>;
  if (values["free-ports"] === true && Object.keys(chosenPorts).length > 0) {
    throw new PlainFailure("--free-ports and a chosen port exclude each other: leave one of them out.");
  }
  if (values["stand-ins"] === true && values.env !== undefined) {
    throw new PlainFailure("--env and --stand-ins exclude each other: leave one of them out.");
  }
  return {
    help: values.help === true,
    dataDir: resolve(cwd, text("data") ?? defaults.dataDir),
    envFile: values["stand-ins"] === true ? undefined : resolve(cwd, text("env") ?? defaults.envFile),
    ports: values["free-ports"] === true ? "free" : requireDifferent({ ...defaultPorts, ...chosenPorts }),
    reset: values.reset === true,
    shownParts: shownPartsOf(text("logs")),
    quiet: values.quiet === true,
    memory: values.memory === true,
  };
}

function read(args: string[]): Record<string, unknown> {
  try {
    return parseArgs({ args, options: accepted, strict: true, allowPositionals: false }).values;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // Node's own sentence names the option; what it adds about positionals is of no use here.
    const [sentence] = error.message.split(". ");
    throw new PlainFailure(`${sentence?.replace(/\.$/, "")}: npm start -- --help lists the options.`);
  }
}

function portOf(option: string, given: string): number {
  const port = Number(given);
  if (/^\d+$/.test(given) && port >= 1 && port <= 65_535) return port;
  throw new PlainFailure(`${option} ${given} is not a port: a number from 1 to 65535 is wanted.`);
}

function requireDifferent(ports: Ports): Ports {
  const seen = new Map<number, ListeningPart>();
  for (const part of listeningParts) {
    const other = seen.get(ports[part]);
    if (other !== undefined) {
      throw new PlainFailure(
        `${other} and ${part} cannot both have port ${ports[part]}: change one with ${portOptionOf(part)} N.`,
      );
    }
    seen.set(ports[part], part);
  }
  return ports;
}

const partNames = ["postgres", "gateway", "realtime", "net", "cron", "functions", "b2", "agora", "portal"];

function shownPartsOf(given: string | undefined): StartOptions["shownParts"] {
  if (given === undefined || given === "all") return "all";
  if (given === "none") return "none";
  const names = given.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !partNames.includes(name));
  if (unknown === undefined) return names;
  throw new PlainFailure(
    `--logs ${given}: there is no part "${unknown}"; there are ${partNames.join(", ")}.`,
  );
}

/** The text of `npm start -- --help`. */
export function startHelp(defaults: OptionDefaults): string {
  const short = (path: string) => relative(defaults.projectDir, path) || ".";
  const rows: [string, string][] = [
    ["--data DIR", `folder for everything that is kept (default ${short(defaults.dataDir)})`],
    ["--reset", "first remove what an earlier start has put into that folder, and say what"],
    ...listeningParts.map((part): [string, string] => [
      `${portOptionOf(part)} N`,
      `port of the ${part} (default ${defaultPorts[part]})`,
    ]),
    ["--free-ports", "any free ports instead"],
    ["--env FILE", `the real services' variables (default ${short(defaults.envFile)}, if it is there)`],
    ["--stand-ins", "ignore that file: stand-ins for Agora and Backblaze B2 in any case"],
    ["--logs LIST", "whose lines to show: all (default), none, or names like gateway,functions"],
    ["-q, --quiet", "only the ready line, and what goes wrong"],
    ["--memory", "say how much memory each part uses, 5 s after the start"],
    ["-h, --help", "this text"],
  ];
  const width = Math.max(...rows.map(([option]) => option.length)) + 2;
  return [
    "Starts the whole stack on this machine, on 127.0.0.1 only, until Ctrl-C.",
    "",
    "  npm start -- [options]",
    "",
    ...rows.map(([option, meaning]) => `  ${option.padEnd(width)}${meaning}`),
    "",
    `Parts: ${partNames.join(", ")}. Their logs are kept in the data folder, under logs/.`,
  ].join("\n");
}
