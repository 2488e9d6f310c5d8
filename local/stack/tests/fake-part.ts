import { spawn } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import { type Log, type RunningPart, runPart } from "../part.ts";

const settings = z.strictObject({
  port: z.int().min(0).default(0),
  /** Starts a process of its own, as the real Postgres and functions parts do, and prints its pid. */
  withChild: z.enum(["none", "in the same group", "in its own group"]).default("none"),
  /** Says this instead of starting. */
  failWith: z.string().optional(),
  /** Dies before it is ready. */
  dieAtStart: z.boolean().default(false),
  /** Never becomes ready. */
  hang: z.boolean().default(false),
  /** Waits so long before it ends, and says so: shows who ends after whom. */
  sayGoodbye: z.boolean().default(false),
});

async function start(given: z.output<typeof settings>, log: Log): Promise<RunningPart> {
  if (given.failWith !== undefined) throw new Error(given.failWith);
  if (given.dieAtStart) process.exit(7);
  if (given.hang) await new Promise(() => setInterval(() => undefined, 1_000));
  if (given.withChild !== "none") {
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], {
      stdio: "ignore",
      detached: given.withChild === "in its own group",
    });
    log(`child ${child.pid}`);
  }
  const server = createServer((_request, response) => response.end(String(process.pid)));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(given.port, "127.0.0.1", resolve);
  });
  log("serving");
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      if (given.sayGoodbye) log(`goodbye at ${Date.now()}`);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

await runPart(settings, start);
