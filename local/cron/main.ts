import { runPart } from "../stack/part.ts";
import { startCron } from "./scheduler.ts";
import { cronSettings } from "./settings.ts";

await runPart(cronSettings, startCron);
