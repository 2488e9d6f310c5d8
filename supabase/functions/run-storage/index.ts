import { edgeWorld } from "../_shared/jobs/edge-world.ts";
import { serveLane } from "../_shared/jobs/lane.ts";
import { storageHandlers } from "../_shared/storage/storage-lane.ts";

Deno.serve(
  serveLane(
    { lane: "storage", budgetMs: 100_000, lingerMs: 1_500, patienceMs: 8_000, tickMs: 250, concurrency: 4 },
    storageHandlers,
    edgeWorld(),
  ),
);
