import { answerCallToken } from "../_shared/calls/answer.ts";
import { callSettings } from "../_shared/config.ts";
import { edgeWorld } from "../_shared/jobs/edge-world.ts";
import { servePeople } from "../_shared/people/serve-people.ts";

Deno.serve(
  servePeople(
    answerCallToken,
    ({ environment, random }) => ({ settings: callSettings(environment), random }),
    edgeWorld(),
  ),
);
