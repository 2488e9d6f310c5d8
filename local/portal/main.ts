import { runPart } from "../stack/part.ts";
import { startPortal } from "./server.ts";
import { portalSettings } from "./settings.ts";

await runPart(portalSettings, startPortal);
