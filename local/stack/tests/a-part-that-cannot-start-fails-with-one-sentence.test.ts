import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { PlainFailure } from "../sentence.ts";
import { startFake, untilGone } from "./observed-part.ts";

async function failureOf(fake: ReturnType<typeof startFake>): Promise<PlainFailure> {
  const failure = await fake.ready.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(failure instanceof PlainFailure)) throw new Error(`no plain failure but ${String(failure)}`);
  expect(failure.message).not.toContain("\n");
  for (const pid of fake.pids) await untilGone(pid);
  return failure;
}

test("a taken port is named, and nobody tries again", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as AddressInfo;
  try {
    const fake = startFake({ port });
    expect((await failureOf(fake)).message).toBe(
      `fake could not start: port ${port} is taken by another program.`,
    );
    expect(fake.pids).toHaveLength(1);
    expect(fake.notices).toEqual([]);
  } finally {
    other.close();
  }
});

test("a broken setting is named with what is expected of it", async () => {
  const { message } = await failureOf(startFake({ port: "many" }));
  expect(message).toBe(
    "fake could not start: its settings are broken: port (Invalid input: expected number, received string).",
  );
});

test("a reason that the part gives itself is passed on", async () => {
  const { message } = await failureOf(startFake({ failWith: "the moon is full" }));
  expect(message).toBe("fake could not start: the moon is full.");
});

test("a part that dies five times in a row without a word ends the start", async () => {
  const fake = startFake({ dieAtStart: true });
  expect((await failureOf(fake)).message).toBe("fake could not start 5 times in a row: exit code 7.");
  expect(fake.notices).toEqual(Array(4).fill("fake could not start (exit code 7), restarting"));
});

test("a part that never becomes ready is ended at its limit", async () => {
  const fake = startFake({ hang: true }, { readyWithinMs: 400, failuresInARow: 1 });
  expect((await failureOf(fake)).message).toMatch(
    /^fake could not start 1 times in a row: it was not ready within 0\.\d s\.$/,
  );
});

test("an entry that does not exist is a failure, not a crash of the supervisor", async () => {
  const { startPart, usualPatience } = await import("../supervisor.ts");
  const { ready } = startPart(
    { name: "ghost", entry: "/nowhere/main.ts", settings: {} },
    {
      onLine: () => undefined,
      onNotice: () => undefined,
      onPid: () => undefined,
      onGivenUp: () => undefined,
    },
    { ...usualPatience, firstDelayMs: 1, failuresInARow: 2 },
  );
  await expect(ready).rejects.toThrow("ghost could not start 2 times in a row: exit code 1.");
});
