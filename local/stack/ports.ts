import { createServer } from "node:net";
import { PlainFailure } from "./sentence.ts";

/** The parts that listen, with the port each has unless an option says otherwise. */
export const defaultPorts = {
  gateway: 54321,
  postgres: 54422,
  realtime: 54323,
  functions: 54324,
  b2: 54325,
  agora: 54326,
} as const;

export type ListeningPart = keyof typeof defaultPorts;
export type Ports = Record<ListeningPart, number>;

export const listeningParts = Object.keys(defaultPorts) as ListeningPart[];

/** The option that chooses a part's port. */
export const portOptionOf = (part: ListeningPart): string =>
  part === "gateway" ? "--port" : `--${part}-port`;

/**
 * Free ports for all parts. They lie below the range from which the system picks ports for outgoing connections
 * (32768 and up on Linux): a part that is restarted must find its own port free again.
 */
export async function findFreePorts(): Promise<Ports> {
  const taken = new Set<number>();
  const next = async (): Promise<number> => {
    for (let tries = 0; tries < 200; tries += 1) {
      const port = 15_000 + Math.floor(Math.random() * 17_000);
      if (taken.has(port) || !(await isFree(port))) continue;
      taken.add(port);
      return port;
    }
    throw new PlainFailure("no free port was found between 15000 and 32000.");
  };
  const ports: Partial<Ports> = {};
  for (const part of listeningParts) ports[part] = await next();
  return ports as Ports;
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
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen({ port, host: "127.0.0.1", exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
