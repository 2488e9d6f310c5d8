import { runPart } from "../stack/part.ts";
import { startGateway } from "./server.ts";
import { gatewaySettings } from "./settings.ts";

await runPart(gatewaySettings, startGateway);
