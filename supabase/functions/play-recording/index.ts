import { createB2Client } from "../_shared/b2/client.ts";
import { createPresigner } from "../_shared/b2/presign.ts";
import { bucketSettings, playbackSettings } from "../_shared/config.ts";
import { edgeWorld } from "../_shared/jobs/edge-world.ts";
import { servePeople } from "../_shared/people/serve-people.ts";
import { answerPlayback } from "../_shared/playback/answer.ts";
import { storeAddresses } from "../_shared/playback/store-addresses.ts";

Deno.serve(
  servePeople(
    answerPlayback,
    (world) => {
      const bucket = bucketSettings(world.environment, "playback");
      return {
        ...playbackSettings(world.environment),
        bucket: createB2Client(bucket, world),
        media: storeAddresses(createPresigner(bucket)),
      };
    },
    edgeWorld(),
  ),
);
