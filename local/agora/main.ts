import { runPart } from "../stack/part.ts";
import { startAgora } from "./server.ts";
import { agoraSettings } from "./settings.ts";

await runPart(agoraSettings, startAgora);
