import { replaceBackend } from "../src/backend/client.ts";

type Handler = (message: { event: string; payload: unknown }) => void;

/** One channel as realtime-js would give it, moved by the test. */
export class StagedChannel {
  readonly topic: string;
  readonly options: unknown;
  state: ((state: string) => void) | undefined;
  wasRemoved = false;
  tracked: unknown[] = [];
  readonly #broadcasts: Handler[] = [];
  #sync: (() => void) | undefined;
  people: Record<string, unknown[]> = {};

  constructor(topic: string, options: unknown) {
    this.topic = topic;
    this.options = options;
  }

  on(kind: string, _filter: unknown, handler: Handler & (() => void)): this {
    if (this.state !== undefined) throw new Error("cannot add listeners after subscribe()");
    if (kind === "broadcast") this.#broadcasts.push(handler);
    if (kind === "presence") this.#sync = handler;
    return this;
  }

  subscribe(state: (state: string) => void): this {
    this.state = state;
    return this;
  }

  presenceState() {
    return this.people;
  }

  async track(claim: unknown): Promise<string> {
    this.tracked.push(claim);
    return "ok";
  }

  async untrack(): Promise<string> {
    return "ok";
  }

  /** The server sends a message. */
  send(event: string, payload: unknown): void {
    for (const handler of this.#broadcasts) handler({ event, payload });
  }

  /** The server says who is there. */
  meet(people: Record<string, unknown[]>): void {
    this.people = people;
    this.#sync?.();
  }
}

/** Puts a backend in place whose channels the test moves; gives all that were ever made. */
export function stageRealtime(): StagedChannel[] {
  const channels: StagedChannel[] = [];
  const client = {
    channel: (topic: string, options: unknown) => {
      const channel = new StagedChannel(topic, options);
      channels.push(channel);
      return channel;
    },
    removeChannel: async (channel: StagedChannel) => {
      channel.wasRemoved = true;
      return "ok";
    },
    auth: { getSession: async () => ({ data: { session: null }, error: null }) },
  };
  replaceBackend(client as unknown as Parameters<typeof replaceBackend>[0]);
  return channels;
}
