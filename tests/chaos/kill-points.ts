import type { Exchange, Hooks, RecordingProxy } from "./recording-proxy.ts";
import type { Story } from "./stories.ts";
import { hookOf, type World } from "./world.ts";

/** A moment at which the process dies. */
export interface KillPoint {
  story: Story;
  /** The name of an awaited call, or `claim <kind>` or `finish <kind>` for the drain's own request. */
  step: string;
  /** 1 for the first time that the story comes by. */
  occurrence: number;
  when: "before" | "after";
  /** How long the story takes to come there, undisturbed. */
  afterMs: number;
}

export const nameOf = ({ story, step, occurrence, when }: KillPoint): string =>
  `${story.name}: killed ${when} ${step}${occurrence === 1 ? "" : ` (time ${occurrence})`}`;

/** Holds requests at the moments of one round, one per channel; a request that is held there is never answered. */
export interface Trap {
  /** Resolves when nothing is under way that was let through before the trap was there. */
  isSet: Promise<void>;
  /** Everybody stands where they are to die, or nobody else will come. */
  isFull(): boolean;
  isHit(channel: string): boolean;
  /** Holds nothing any more. */
  open(): void;
}

const forGood = () => new Promise<never>(() => undefined);

/** A trap for awaited calls of handlers: each channel is held at its own request, the others go on. */
export function trapCalls(cast: Map<string, KillPoint>, { hooks }: RecordingProxy, world: World): Trap {
  const counts = new Map<string, number>();
  const hit = new Set<string>();
  const script = hookOf(world);
  const spring = async (exchange: Exchange, when: KillPoint["when"]) => {
    const { channel } = exchange;
    const point = channel === undefined ? undefined : cast.get(channel);
    if (channel === undefined || point === undefined || exchange.site !== point.step || hit.has(channel))
      return;
    if (when === "before") counts.set(channel, (counts.get(channel) ?? 0) + 1);
    if (point.when !== when || counts.get(channel) !== point.occurrence) return;
    hit.add(channel);
    await forGood();
  };
  hooks.before = async (exchange, body) => {
    await spring(exchange, "before");
    return await script(exchange, body);
  };
  hooks.after = (exchange) => spring(exchange, "after");
  return { isSet: Promise.resolve(), ...trapOf(cast, hit, hooks, world) };
}

/**
 * A trap for the drain's own request, which concerns all channels at once. `claim`: it is held until the jobs of all
 * channels are due, so that one request claims them all. `finish`: the handlers are held until the drain has asked once
 * more in vain, and that request until all handlers have ended, so that the next one brings all their results.
 *
 * @param isDone whether the log has told that the job of a channel has ended in this process
 */
export function trapDrain(
  cast: Map<string, KillPoint>,
  proxy: RecordingProxy,
  world: World,
  isDone: (channel: string, kind: string) => Promise<boolean>,
): Trap {
  const { hooks } = proxy;
  const hit = new Set<string>();
  const script = hookOf(world);
  const claimed = new Set<string>();
  let isOpen = false;
  const askedInVain = Promise.withResolvers<void>();
  const [first] = cast.values();
  const [verb] = (first?.step ?? "").split(" ");
  const when = first?.when;
  const kindOf = (point: KillPoint) => point.step.split(" ")[1] ?? "";
  const all = async (ask: (channel: string, kind: string) => Promise<boolean>) => {
    const answers = [...cast].map(([channel, point]) => ask(channel, kindOf(point)));
    return (await Promise.all(answers)).every(Boolean);
  };
  const isDue = async (channel: string, kind: string) => {
    const found = await world.under.sql`
      select from recorder.jobs j join public.recordings r on r.id = j.recording_id
      where r.channel = ${channel} and j.kind = ${kind} and j.state = 'queued' and j.run_at <= clock_timestamp() limit 1`;
    return found.length > 0;
  };
  const springFor = async (channels: Iterable<string>) => {
    for (const channel of channels) if (cast.has(channel)) hit.add(channel);
    await forGood();
  };

  const isOurs = ({ channel, kind }: { channel: string; kind: string }) => {
    const point = cast.get(channel);
    return point !== undefined && kindOf(point) === kind;
  };
  const until = async (what: string, ask: () => Promise<boolean>) => {
    await world.until(what, async () => isOpen || (await ask()));
    // Who still waits when the trap opens is dead by then, and must not ask for work in its own name.
    if (isOpen) await forGood();
  };

  hooks.before = async (exchange, body) => {
    const brought = exchange.finishes.filter(isOurs);
    if (exchange.call === "work" && claimed.size === 0) {
      await until("everybody's job is due", () => all(isDue));
      if (verb === "claim" && when === "before") await springFor(cast.keys());
    } else if (exchange.call === "work" && verb === "finish" && brought.length === 0) {
      if (claimed.size === cast.size) {
        askedInVain.resolve();
        await until("everybody's handler has ended", () => all(isDone));
      }
    } else if (exchange.call === "work" && verb === "finish" && when === "before") {
      await springFor(brought.map(({ channel }) => channel));
    } else if (exchange.site !== undefined && cast.has(exchange.channel ?? "")) {
      await askedInVain.promise;
    }
    return await script(exchange, body);
  };
  hooks.after = async (exchange) => {
    if (exchange.call !== "work") return;
    for (const { channel } of exchange.claims.filter(isOurs)) claimed.add(channel);
    if (when !== "after") return;
    const met = (verb === "claim" ? exchange.claims : exchange.finishes).filter(isOurs);
    if (met.length > 0) await springFor(met.map(({ channel }) => channel));
  };
  const isSet = world.until("the last claim is answered", async () => !proxy.isUnderWay("work"));
  const trap = trapOf(cast, hit, hooks, world);
  return {
    isSet,
    ...trap,
    // One request concerns all: who is not held with it is not held any more.
    isFull: () => hit.size > 0,
    open() {
      isOpen = true;
      trap.open();
    },
  };
}

function trapOf(
  cast: Map<string, KillPoint>,
  hit: Set<string>,
  hooks: Hooks,
  world: World,
): Omit<Trap, "isSet"> {
  return {
    isFull: () => hit.size === cast.size,
    isHit: (channel) => hit.has(channel),
    open() {
      hooks.before = hookOf(world);
      hooks.after = async () => undefined;
    },
  };
}
