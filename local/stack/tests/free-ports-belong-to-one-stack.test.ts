import { createServer } from "node:net";
import { expect, test } from "vitest";
import { holdFreePorts, isFree, listeningParts } from "../ports.ts";

test("stacks that start at the same moment never get a port twice", async () => {
  const held = await Promise.all(Array.from({ length: 40 }, holdFreePorts));
  try {
    const ports = held.flatMap(({ ports }) => Object.values(ports));
    expect(ports).toHaveLength(40 * listeningParts.length);
    expect(new Set(ports).size).toBe(ports.length);
    // They are held for their parts, not from them.
    expect(await Promise.all(ports.map(isFree))).not.toContain(false);
  } finally {
    await Promise.all(held.map(({ release }) => release()));
  }
});

test("a block is held by its first port until it is given back", async () => {
  const { ports, release } = await holdFreePorts();
  const first = ports.gateway - 1;
  expect(await isFree(first)).toBe(false);
  await release();
  expect(await isFree(first)).toBe(true);
});

test("a port that somebody listens on is not free", async () => {
  const other = createServer();
  const { ports, release } = await holdFreePorts();
  await new Promise<void>((resolve) => other.listen(ports.b2, "127.0.0.1", resolve));
  try {
    expect(await isFree(ports.b2)).toBe(false);
    expect(await isFree(ports.agora)).toBe(true);
  } finally {
    await new Promise((resolve) => other.close(resolve));
    await release();
  }
});
