import { runPart } from "../stack/part.ts";
import { startPostgres } from "./server.ts";
import { postgresSettings } from "./settings.ts";

await runPart(postgresSettings, async (settings, log) => {
  const running = await startPostgres(settings, log);
  let stopping = false;
  const stop = () => {
    stopping = true;
    return running.stop();
  };
  // A part without its server is of no use: its supervisor starts it again.
  void running.ended.then((how) => {
    if (stopping) return;
    log(how);
    process.exit(1);
  });
  return { ...running, stop };
});
