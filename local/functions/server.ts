import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Log, type RunningPart, reasonOf } from "../stack/part.ts";
import type { DenoProcessOptions } from "./deno-process.ts";
import { type FunctionDefinition, findFunctions } from "./function-folders.ts";
import { FunctionKeeper } from "./function-keeper.ts";
import { platformAnswers, sendPlatformAnswer } from "./platform-answers.ts";
import type { FunctionsSettings } from "./settings.ts";
import { refusalOfToken } from "./verify-jwt.ts";
import { watchFunctions } from "./watch-folders.ts";

interface ServedFunction {
  definition: FunctionDefinition;
  keeper: FunctionKeeper;
}

export interface RunningFunctions extends RunningPart {
  address: string;
  /** Names of the functions that are served now, sorted. */
  names(): string[];
}

/**
 * The Edge Functions of a project on one machine: each function is a Deno process of its own with hosted's globals,
 * environment and limits, behind the answers of hosted's gateway.
 *
 * What it does not do: limit CPU time (2 s a request when hosted), close the ports 25 and 587, count calls from function
 * to function or log lines, write to /tmp, WebSockets, regions, ES256 tokens (the local project signs with its secret), and
 * `jsr:` or `https:` imports that Deno's cache does not hold. A process serves many requests and stays while idle, so
 * module state lives longer here; hosted promises nothing about it either. `import.meta.main` is false in a function.
 *
 * @returns once every function listens or has failed to load; the failure is in the log and answered as BOOT_ERROR
 */
export async function startFunctions(settings: FunctionsSettings, log: Log): Promise<RunningFunctions> {
  const startedAt = performance.now();
  const served = new Map<string, ServedFunction>();

  const start = (definition: FunctionDefinition) => {
    const entry: ServedFunction = {
      definition,
      keeper: new FunctionKeeper(
        definition.name,
        () => processOptions(served.get(definition.name)?.definition ?? definition, settings, log),
        { wallClockMs: settings.wallClockSeconds * 1000, idleMs: settings.idleTimeoutSeconds * 1000 },
        log,
      ),
    };
    served.set(definition.name, entry);
    return entry;
  };

  const entries = (await findFunctions(settings.functionsDir, settings.configFile)).map(start);
  const loaded = await Promise.all(entries.map(({ keeper }) => keeper.ready()));
  log("functions are up", {
    listening: loaded.filter(Boolean).length,
    failed: loaded.filter((ok) => !ok).length,
    ms: Math.round(performance.now() - startedAt),
  });

  const reload = async (touched: Set<string>): Promise<void> => {
    const definitions = await findFunctions(settings.functionsDir, settings.configFile);
    const names = new Set(definitions.map(({ name }) => name));
    const gone = [...served.keys()].filter((name) => !names.has(name));
    const work = gone.map((name) => {
      const entry = served.get(name);
      served.delete(name);
      return entry?.keeper.stop(settings.wallClockSeconds * 1000);
    });
    for (const definition of definitions) {
      const entry = served.get(definition.name);
      if (!entry) {
        work.push(
          start(definition)
            .keeper.ready()
            .then(() => undefined),
        );
      } else if (touched.has("*") || touched.has(definition.name)) {
        entry.definition = definition;
        work.push(entry.keeper.replace());
      }
    }
    log("functions changed, new processes take over", { touched: [...touched].sort().join(",") });
    await Promise.all(work);
  };
  const unwatch = watchFunctions(settings.functionsDir, settings.configFile, (touched) => {
    reload(touched).catch((error: unknown) => log(`the change was not taken over: ${reasonOf(error)}`));
  });

  const server = createServer((request, response) => {
    answer(request, response, served, settings.jwtSecret).catch((error: unknown) => {
      log(`a request failed in the runner: ${reasonOf(error)}`);
      sendPlatformAnswer(response, platformAnswers.workerError);
    });
  });
  // Uploads may take as long as the function's own limits let them.
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(settings.port, "127.0.0.1", resolve);
  });

  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    names: () => [...served.keys()].sort(),
    async stop() {
      unwatch();
      const closed = new Promise((resolve) => server.close(resolve));
      await Promise.all(
        [...served.values()].map(({ keeper }) => keeper.stop(settings.stopGraceSeconds * 1000)),
      );
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  served: ReadonlyMap<string, ServedFunction>,
  jwtSecret: string,
): Promise<void> {
  const path = (request.url ?? "/").replace(/^\/functions\/v1(?=\/)/, "");
  const name = /^\/([^/?#]+)/.exec(path)?.[1] ?? "";
  const entry = served.get(name);
  if (!entry) return sendPlatformAnswer(response, platformAnswers.notFound);
  if (entry.definition.verifyJwt && request.method !== "OPTIONS") {
    const refusal = await refusalOfToken(request.headers.authorization, jwtSecret);
    if (refusal) return sendPlatformAnswer(response, refusal);
  }
  return entry.keeper.handle(request, response, path);
}

function processOptions(
  definition: FunctionDefinition,
  settings: FunctionsSettings,
  log: Log,
): DenoProcessOptions {
  return {
    name: definition.name,
    entryFile: definition.entryFile,
    denoConfig: definition.denoConfig,
    functionsDir: settings.functionsDir,
    cacheDir: settings.cacheDir,
    memoryMb: settings.memoryMb,
    log,
    env: {
      ...settings.env,
      // Names of the older keys, which new projects fill with the newer ones' counterparts.
      SUPABASE_ANON_KEY: settings.publishableKey,
      SUPABASE_SERVICE_ROLE_KEY: settings.secretKey,
      SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: settings.publishableKey }),
      SUPABASE_SECRET_KEYS: JSON.stringify({ default: settings.secretKey }),
      SUPABASE_FUNCTION_SLUG: definition.name,
    },
  };
}
