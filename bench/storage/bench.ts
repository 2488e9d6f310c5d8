/** `npm run bench -- storage`: what is promised about playback and files, beside peers in the same command. */
import { describeMachine, lookAtLoad } from "../machine.ts";
import { benchSigning } from "./signing.ts";
import { benchTransfer } from "./transfer.ts";

/** Each prints its own part of the report and leaves nothing behind. */
const parts: readonly ((say: (line?: string) => void) => Promise<void>)[] = [benchSigning, benchTransfer];

/** Runs all parts one after the other. @throws Error when something could not be measured. */
export async function benchStorage(): Promise<void> {
  const say = (line = "") => process.stdout.write(`${line}\n`);
  const machine = await describeMachine();
  const load = await lookAtLoad();
  say(
    `machine    ${machine.cores} × ${machine.processor}, ${(machine.memoryBytes / 2 ** 30).toFixed(1)} GiB, ${machine.system}`,
  );
  say(`versions   Node ${machine.node}, Deno ${machine.deno}`);
  say(`commit     ${machine.commit}${machine.changedFiles ? `, ${machine.changedFiles} files changed` : ""}`);
  say(
    `load       ${(load.busy * 100).toFixed(0)} % busy before the start, average ${load.average.map((value) => value.toFixed(1)).join(" ")}`,
  );
  for (const part of parts) await part(say);
}
