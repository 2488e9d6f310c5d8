import { edgeWorld } from "../_shared/jobs/edge-world.ts";
import { serveLane } from "../_shared/jobs/lane.ts";
import { notifyHandlers } from "../_shared/notify/notify-lane.ts";

Deno.serve(
  serveLane(
    { lane: "notify", budgetMs: 100_000, lingerMs: 1_500, patienceMs: 8_000, tickMs: 250, concurrency: 10 },
    notifyHandlers,
    edgeWorld(),
  ),
);
