import { runPart } from "../stack/part.ts";
import { startFunctions } from "./server.ts";
import { functionsSettings } from "./settings.ts";

await runPart(functionsSettings, startFunctions);
