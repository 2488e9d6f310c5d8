import { runPart } from "../stack/part.ts";
import { netSettings } from "./settings.ts";
import { startNet } from "./worker.ts";

await runPart(netSettings, startNet);
