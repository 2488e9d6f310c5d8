import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";

const startFile = resolve(import.meta.dirname, "../../local/start.ts");

/** What whoever started the stack at a terminal can read there. */
export interface Printed {
  portal: string;
  /** E-mail addresses to sign in as, in the order in which they are named. */
  people: string[];
  password: string;
}

/** A stack that was started as `npm start` starts it, and of which nothing is known but what it prints. */
export interface StartedByHand {
  printed: Printed;
  /** Presses Ctrl-C and waits for the end; gives what was printed last, and the exit code. */
  end(): Promise<{ lastLine: string; code: number | null }>;
}

/**
 * Starts the stack and reads its ready line. Rejects with all that was printed where it ends before, or says something else. Its stand-ins
 * are used whatever `.env` holds.
 */
export async function startByHand(dataDir: string): Promise<StartedByHand> {
  const child = spawn(process.execPath, [startFile, "--free-ports", "--stand-ins", "--data", dataDir], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (some: string) => {
      text += stripVTControlCharacters(some);
    });
  }
  const ended = once(child, "exit");
  const isReady = () => /Ctrl-C ends everything/.test(text);
  await untilPrinted(child, isReady);
  const portal = /open (http:\S+) in a browser/.exec(text)?.[1];
  const [, named, password] = /sign in as (\S+@\S+(?: or \S+@\S+)+) with password (\S+)/.exec(text) ?? [];
  if (portal === undefined || named === undefined || password === undefined) {
    child.kill("SIGINT");
    await ended;
    throw new Error(`a newcomer does not learn from this where to go and who to be:\n${text}`);
  }
  return {
    printed: { portal, people: named.split(" or "), password },
    async end() {
      child.kill("SIGINT");
      await ended;
      return { lastLine: text.trimEnd().split("\n").at(-1) ?? "", code: child.exitCode };
    },
  };
}

/** Resolves when what was printed is as wanted, or nothing more will be. */
function untilPrinted(child: ChildProcess, isThere: () => boolean): Promise<void> {
  return new Promise((done) => {
    const look = () => {
      if (isThere() || child.exitCode !== null) done();
    };
    child.stdout?.on("data", look);
    child.once("exit", () => done());
  });
}
