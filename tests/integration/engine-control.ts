import { expect, vi } from "vitest";
import { z } from "zod";

const taskViews = z.array(
  z.object({
    sid: z.string(),
    cname: z.string(),
    uid: z.string(),
    status: z.number(),
    failovers: z.number(),
  }),
);
/** One task as the engine itself sees it. `status` is the number of Agora's query: 1 to 5 until it is told to leave. */
export type EngineTaskView = z.output<typeof taskViews>[number];

/** The last status number of a recorder that is coming or there; from the next one on it is leaving. */
const IN_PROGRESS = 5;

/** The switches of the recording service's stand-in, and its own view of what runs: no way through our database. */
export interface EngineControl {
  /** Every task that the engine still knows. */
  allTasks(): Promise<EngineTaskView[]>;
  /** Tasks of a channel that the engine still knows, leaving ones too. */
  tasks(channel: string): Promise<EngineTaskView[]>;
  /** Tasks of a channel that record or are about to. */
  running(channel: string): Promise<EngineTaskView[]>;
  /** Waits until nothing records in a channel; fails after `limitMs`. */
  untilNothingRuns(channel: string, limitMs: number): Promise<void>;
  addFault(fault: Record<string, unknown>): Promise<void>;
  /** Faults that have not struck as often as they should. */
  openFaults(): Promise<unknown[]>;
  clearFaults(): Promise<void>;
  /** Makes a channel one in which nobody sends picture or sound. */
  silence(channel: string): Promise<void>;
}

export function createEngineControl(address: string, token: string): EngineControl {
  async function ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await fetch(`${address}/_control/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: HTTP ${answer.status} ${await answer.text()}`);
    return await answer.json();
  }
  const allTasks = async () => taskViews.parse(await ask("GET", "tasks"));
  const tasks = async (channel: string) => (await allTasks()).filter(({ cname }) => cname === channel);
  const running = async (channel: string) =>
    (await tasks(channel)).filter(({ status }) => status <= IN_PROGRESS);

  return {
    allTasks,
    tasks,
    running,
    untilNothingRuns: (channel, limitMs) =>
      vi.waitFor(async () => expect(await running(channel)).toEqual([]), { timeout: limitMs, interval: 50 }),
    addFault: async (fault) => void (await ask("POST", "faults", fault)),
    openFaults: async () => z.array(z.unknown()).parse(await ask("GET", "faults")),
    clearFaults: async () => void (await ask("DELETE", "faults")),
    silence: async (channel) => void (await ask("POST", "channels", { cname: channel, publishers: "none" })),
  };
}
