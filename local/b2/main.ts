import { runPart } from "../stack/part.ts";
import { startB2 } from "./server.ts";
import { b2Settings } from "./settings.ts";

await runPart(b2Settings, startB2);
