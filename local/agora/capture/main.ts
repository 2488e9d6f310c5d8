/**
 * The process that records one call: decodes what people send, composes it, encodes and packs it. It is a process of its own, so that
 * a crash of native code takes nothing with it but the slice under way.
 */
import { CallRecorder } from "./call-recorder.ts";
import type { FromRecorder, ToRecorder } from "./messages.ts";
import { Stage } from "./stage.ts";

/** A sign of life this often, ms: an event loop that hangs sends none. */
const aliveEveryMs = 1_000;

let stage: Stage | undefined;
let recorder: CallRecorder | undefined;

const tell = (message: FromRecorder) => {
  process.send?.(message);
};

async function take(message: ToRecorder): Promise<void> {
  switch (message.type) {
    case "open":
      stage = new Stage(message.order, (uid, kind) => tell({ type: "key_frame_wanted", uid, kind }));
      recorder = await CallRecorder.open(message.order, stage, {
        slice: (slice) => tell({ type: "slice", ...slice }),
        mp4: (file) => tell({ type: "mp4", ...file }),
        failed: (error) => tell({ type: "failed", message: String(error) }),
      });
      return tell({ type: "opened" });
    case "begin":
      return recorder?.begin(message.at, message.wallOffset, message.paused);
    case "pause":
      return recorder?.pause(message.at);
    case "resume":
      return recorder?.resume(message.at);
    case "rearrange":
      return stage?.rearrange(message.layout);
    case "people":
      return stage?.setPeople(message.people, message.at);
    case "media":
      for (const item of message.items) stage?.take(item);
      return recorder?.heard(message.heardUntil);
    case "finish": {
      const seconds = (await recorder?.finish(message.at)) ?? 0;
      stage?.close();
      tell({ type: "finished", seconds });
    }
  }
}

process.on("message", (message: ToRecorder) => {
  take(message).catch((error: unknown) => tell({ type: "failed", message: String(error) }));
});
// The engine is gone: nobody would take what is recorded.
process.on("disconnect", () => process.exit(0));
process.on("SIGINT", () => undefined);
setInterval(() => tell({ type: "alive" }), aliveEveryMs);
