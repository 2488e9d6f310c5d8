import { createServer, type Server } from "node:net";
import { PlainFailure } from "./sentence.ts";

/** The parts that listen, with the port each has unless an option says otherwise. */
export const defaultPorts = {
  gateway: 54321,
  postgres: 54422,
  realtime: 54323,
  functions: 54324,
  b2: 54325,
  agora: 54326,
  portal: 54320,
} as const;

export type ListeningPart = keyof typeof defaultPorts;
export type Ports = Record<ListeningPart, number>;

export const listeningParts = Object.keys(defaultPorts) as ListeningPart[];

/** The option that chooses a part's port. */
export const portOptionOf = (part: ListeningPart): string =>
  part === "gateway" ? "--port" : `--${part}-port`;

/** Ports that belong to one stack until it gives them back. */
export interface HeldPorts {
  ports: Ports;
  /** Lets others have them; happens by itself when the process ends. */
  release(): Promise<void>;
}

/** One port to hold the block by, one for each part, and some to grow. */
const blockSize = 10;

/**
 * Free ports for all parts: a block whose first port is listened on for as long as the block is held, so that two stacks
 * that start at the same moment never choose the same. Blocks lie below the range from which the system picks ports for
 * outgoing connections (32768 and up on Linux): a part that is restarted must find its own port free again.
 *
 * @throws PlainFailure when two hundred blocks, chosen at random, were all in use.
 */
export async function holdFreePorts(): Promise<HeldPorts> {
  for (let tries = 0; tries < 200; tries += 1) {
    const first = 15_000 + blockSize * Math.floor(Math.random() * 1_700);
    const hold = await listen(first);
    if (hold === undefined) continue;
    const release = () => new Promise<void>((resolve) => hold.close(() => resolve()));
    const ports = Object.fromEntries(listeningParts.map((part, index) => [part, first + 1 + index])) as Ports;
    const areFree = await Promise.all(Object.values(ports).map(isFree));
    if (areFree.every(Boolean)) return { ports, release };
    await release();
  }
  throw new PlainFailure("no free ports were found between 15000 and 32000.");
}

/**
 * Looks whether every port is free now.
 *
 * @throws PlainFailure naming the first one that is not and the option that changes it.
 */
export async function requireFreePorts(ports: Ports, parts: readonly ListeningPart[]): Promise<void> {
  for (const part of parts) {
    if (await isFree(ports[part])) continue;
    throw new PlainFailure(
      `port ${ports[part]} (${part}) is taken by another program: choose another with ${portOptionOf(part)} N, or let any free ports be used with --free-ports.`,
    );
  }
}

/** True when nothing listens on 127.0.0.1 at this port. */
export async function isFree(port: number): Promise<boolean> {
  const probe = await listen(port);
  if (probe === undefined) return false;
  await new Promise((resolve) => probe.close(resolve));
  return true;
}

/** A listener that keeps no process alive; undefined where somebody listens already. */
function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", () => resolve(undefined));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => resolve(server.unref()));
  });
}
