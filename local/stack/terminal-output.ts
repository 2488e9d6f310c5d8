import { styleText } from "node:util";
import type { StartOptions } from "./options.ts";
import type { StackOutput } from "./run-plan.ts";
import type { Stack } from "./stack.ts";

const colours = [
  "cyan",
  "green",
  "magenta",
  "blue",
  "yellow",
  "cyanBright",
  "greenBright",
  "magentaBright",
] as const;
const nameWidth = "functions".length;

/**
 * Prints the stack's lines at a terminal: time, part, text; coloured where the terminal can show it (and NO_COLOR does
 * not forbid it). Sentences of the stack itself are always shown.
 */
export function terminalOutput(options: Pick<StartOptions, "quiet" | "shownParts">): StackOutput {
  const colourOf = new Map<string, (typeof colours)[number]>();
  const print = (name: string, text: string) => {
    const time = new Date().toTimeString().slice(0, 8);
    const colour = colourOf.get(name) ?? colours[colourOf.size % colours.length] ?? "cyan";
    colourOf.set(name, colour);
    const label = name === "stack" ? name.padEnd(nameWidth) : styleText(colour, name.padEnd(nameWidth));
    console.log(`${styleText("dim", time)} ${label} ${text}`);
  };
  const shows = (name: string) =>
    !options.quiet &&
    options.shownParts !== "none" &&
    (options.shownParts === "all" || options.shownParts.includes(name));
  return {
    part: (name, line) => {
      if (shows(name)) print(name, line);
    },
    notice: (sentence) => print("stack", styleText("yellow", sentence)),
  };
}

/** The one line that holds every address, and below it what a newcomer needs next. */
export function readyText(stack: Stack, seedFile: string, stackFile: string): string {
  const memory = stack.memory();
  const total = memory === undefined ? "" : `, ${megabytes(sum(Object.values(memory)))}`;
  const addresses = Object.entries(stack.addresses).map(([part, address]) => `${part} ${address}`);
  const signIns = "sign in as mentor@example.com or mentee@example.com with password recorded-here";
  const ready = `ready in ${seconds(stack.readyAfterMs)}${total}: ${addresses.join(", ")}, publishable key ${stack.publishableKey}, ${signIns}`;
  const steps = [...stack.timings]
    .sort((a, b) => b.ms - a.ms)
    .map(({ step, ms }) => `${step} ${seconds(ms)}`);
  const { portal } = stack.addresses;
  return [
    styleText(["bold", "green"], ready),
    ...(portal === undefined ? [] : [`  open ${styleText("bold", portal)} in a browser`]),
    `  more people to sign in as: ${seedFile}; all keys and passwords: ${stackFile}`,
    `  started: ${steps.join(", ")}. Ctrl-C ends everything.`,
  ].join("\n");
}

/** One line: the memory of every part with all its processes, the largest first. */
export function memoryText(memory: Record<string, number> | undefined): string {
  if (memory === undefined) return "this system does not tell how much memory a process uses";
  const parts = Object.entries(memory).sort(([, a], [, b]) => b - a);
  return `memory ${megabytes(sum(Object.values(memory)))}: ${parts.map(([name, bytes]) => `${name} ${megabytes(bytes)}`).join(", ")}`;
}

const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);
const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
