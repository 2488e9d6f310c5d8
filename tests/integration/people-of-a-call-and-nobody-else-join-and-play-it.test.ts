/** The two functions that people call, asked by the ordinary client, on one stack. */
import { describeJoining } from "./join-and-play/joining.ts";
import { describePlaying } from "./join-and-play/playing.ts";
import { useStack } from "./stack-under-test.ts";

const under = useStack();
describeJoining(under);
describePlaying(under);
