import { runPart } from "../stack/part.ts";
import { startRealtime } from "./server.ts";
import { realtimeSettings } from "./settings.ts";

await runPart(realtimeSettings, startRealtime);
