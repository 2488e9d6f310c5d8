import { controlHandlers } from "../_shared/control/control-lane.ts";
import { edgeWorld } from "../_shared/jobs/edge-world.ts";
import { serveLane } from "../_shared/jobs/lane.ts";

Deno.serve(
  serveLane(
    { lane: "control", budgetMs: 100_000, lingerMs: 1_500, patienceMs: 8_000, tickMs: 250, concurrency: 20 },
    controlHandlers,
    edgeWorld(),
  ),
);
