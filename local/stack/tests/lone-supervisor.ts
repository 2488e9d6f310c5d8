import { join } from "node:path";
import { startPart } from "../supervisor.ts";

// A process that supervises one fake part and says its pid: a test kills this process and looks what becomes of the part.
const { part, ready } = startPart(
  { name: "fake", entry: join(import.meta.dirname, "fake-part.ts"), settings: {} },
  { onLine: () => undefined, onNotice: () => undefined, onPid: () => undefined, onGivenUp: () => undefined },
);
await ready;
console.log(`part ${part.pid}`);
