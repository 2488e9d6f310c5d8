// The entry of the function's process under test: run-control itself, unchanged, in a process whose fetch says in a header
// which awaited call of a handler it was made for. The proxy reads the header and takes it off. Runs inside Deno.
const send = globalThis.fetch;
// The call sites stand behind the clients' own frames.
Error.stackTraceLimit = 60;

globalThis.fetch = (input: string | URL | Request, init: RequestInit = {}) => {
  const headers = new Headers(init.headers);
  const frames = (new Error().stack ?? "").split("\n");
  const places = frames.flatMap((line) => /\/_shared\/control\/([a-z-]+\.ts:\d+:\d+)/.exec(line)?.[1] ?? []);
  // The wiring only hands calls on; what waits for one is a handler.
  const place = places.find((candidate) => !candidate.startsWith("control-lane.ts"));
  if (place !== undefined) headers.set("x-awaited-at", place);
  return send(input, { ...init, headers });
};

// A request may be held for as long as the others of its round need to come to their moment, however slow the machine is: the limits
// of calls and jobs (8 s and more) are other tests' subject, and here they only end what hangs. Pauses are shorter, and stay.
const longestPauseMs = 5_000;
const slowerLimits = 20;
const startTimer = globalThis.setTimeout;
globalThis.setTimeout = ((act: (...given: unknown[]) => void, ms = 0, ...given: unknown[]) =>
  startTimer(act, ms > longestPauseMs ? ms * slowerLimits : ms, ...given)) as typeof setTimeout;

// Found only at run time: this file belongs to Node's program, the function to Deno's.
await import(new URL("../../supabase/functions/run-control/index.ts", import.meta.url).href);

export {};
