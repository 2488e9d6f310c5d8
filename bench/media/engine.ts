/** The engine with its media server in a process of its own, so that what it uses can be told from what its callers use. */
import { goFirst } from "../../local/agora/calls/priority.ts";
import { startEngine } from "../../local/agora/tests/stage.ts";

goFirst();
const engine = await startEngine({ publishers: "calls", sliceSeconds: 4, joinMs: 300 });
process.send?.(engine.address);
process.once("message", () => {
  engine.stop().then(() => process.exit(0));
});
process.once("disconnect", () => process.exit(0));
