import { runPart } from "../stack/part.ts";
import { goFirst } from "./calls/priority.ts";
import { startAgora } from "./server.ts";
import { agoraSettings } from "./settings.ts";

goFirst();
await runPart(agoraSettings, startAgora);
