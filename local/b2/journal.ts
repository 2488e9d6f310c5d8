import { closeSync, createReadStream, existsSync, openSync, renameSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import type { StoreRecord } from "./records.ts";
import { recordSchema } from "./records.ts";

/** An append-only file of facts, one JSON line each. */
export interface Journal {
  /** Makes a fact true: it survives the death of the process from the moment this returns. */
  append(record: StoreRecord): void;
  close(): void;
}

/**
 * Reads the facts of a journal in order. A last line without a line break was being written when the process died:
 * nobody was told that it happened, so it did not.
 * @throws Error naming the line when one before it cannot be read.
 */
export async function* readJournal(path: string): AsyncGenerator<StoreRecord> {
  if (!existsSync(path)) return;
  let number = 0;
  for await (const line of completeLines(path)) {
    number += 1;
    yield parseLine(line, `${path} line ${number}`);
  }
}

async function* completeLines(path: string): AsyncGenerator<string> {
  let endsWithBreak = true;
  const input = createReadStream(path, "utf8");
  input.on("data", (chunk) => {
    endsWithBreak = chunk.at(-1) === "\n";
  });
  let previous: string | undefined;
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (previous !== undefined) yield previous;
    previous = line;
  }
  if (previous !== undefined && endsWithBreak) yield previous;
}

function parseLine(line: string, place: string): StoreRecord {
  try {
    return recordSchema.parse(JSON.parse(line));
  } catch (error) {
    throw new Error(`the journal cannot be read: ${place}`, { cause: error });
  }
}

/**
 * Writes a journal that holds just these facts in place of the old one, then goes on appending to it. The rename is
 * atomic: after a kill either the old or the new journal is there, and both say the same.
 */
export function replaceJournal(path: string, facts: Iterable<StoreRecord>): Journal {
  const draft = `${path}.draft`;
  const file = openSync(draft, "w");
  let lines: string[] = [];
  const flush = () => {
    writeWhole(file, lines.join(""));
    lines = [];
  };
  for (const fact of facts) {
    lines.push(`${JSON.stringify(fact)}\n`);
    if (lines.length === 1000) flush();
  }
  flush();
  renameSync(draft, path);
  return {
    // Synchronous on purpose: the order of the lines is the order in which requests were answered.
    append: (record) => writeWhole(file, `${JSON.stringify(record)}\n`),
    close: () => closeSync(file),
  };
}

function writeWhole(file: number, text: string): void {
  const bytes = Buffer.from(text);
  let written = 0;
  while (written < bytes.length) written += writeSync(file, bytes, written);
}
