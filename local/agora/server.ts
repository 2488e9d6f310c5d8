/**
 * A stand-in for Agora Cloud Recording: REST API, recorder, uploads, notifications. It speaks the real service's language
 * and refuses what the real one refuses. It is the media server of local calls too (calls/) and records what people send there;
 * a channel that nobody joined gets a synthetic picture and sound, visibly marked as simulated.
 *
 * What it does not do:
 * - modes individual, web and raw (start answers 400, code 2), snapshots, web pages, RTMP, postponed transcoding;
 * - a channel's kind of media is settled when its recorder joins: who joins a simulated recording later is not in it;
 * - which uids are recorded: subscription lists are checked, and decide only whether sound or picture is left out;
 * - of layouts: alpha, background pictures and custom layouts (3, drawn as best fit) are checked, accepted and shown by the control
 *   endpoint, but not drawn; a simulated picture stays the same. `update` changes only the bucket's keys;
 * - stores other than S3-protocol ones (vendor 11) on this machine; multipart uploads;
 * - regions, excludeResourceIds, encryption of channels: checked where documented, without effect;
 * - the limits of mainland China and of stream counts; members with string accounts;
 * - a failover that changes the sid (the names of its files say that it does not), an MP4 that shows while it grows;
 * - the MP4 of a server that died: it is lost, the slices are not.
 *
 * What it refuses is the list in refusals/; what Agora leaves open goes both ways by the settings in unconfirmed.ts.
 */
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Log, type RunningPart, reasonOf } from "../stack/part.ts";
import { BackupCloud } from "./backup-cloud.ts";
import { MediaServer } from "./calls/media-server.ts";
import type { AgoraControl } from "./control.ts";
import { controlOf } from "./control.ts";
import { Faults } from "./faults.ts";
import { beepTrack } from "./media/beeps.ts";
import { prepareClip } from "./media/prepared-recorder.ts";
import { REFUSALS, type RefusalList, Refusals } from "./refusals/list.ts";
import { requestHandler } from "./rest-api.ts";
import { RecordingService } from "./service.ts";
import type { AgoraSettings } from "./settings.ts";
import { TaskStore } from "./tasks/task-store.ts";
import { Notifier } from "./webhooks.ts";

export type RunningAgora = RunningPart & {
  address: string;
  control: AgoraControl;
  mediaServer: MediaServer;
};

/**
 * Starts the recording service on 127.0.0.1. Tasks that were running when the last process with the same `stateDir` ended go
 * on as a failover. `list`: what is refused; only a test gives less than all. Throws when the port is taken or the state cannot be read.
 */
export async function startAgora(
  settings: AgoraSettings,
  log: Log,
  list: RefusalList = REFUSALS,
): Promise<RunningAgora> {
  const temporary = settings.stateDir ? null : mkdtempSync(join(tmpdir(), "recording-engine-"));
  const faults = new Faults();
  const refusals = new Refusals(settings.unconfirmed, list);
  const notifier = new Notifier(settings, faults, log);
  const store = new TaskStore(join(settings.stateDir ?? temporary ?? "", "tasks"));
  const backupCloud = new BackupCloud(settings, store, log);
  const mediaServer = new MediaServer({
    settings: settings.calls,
    appId: settings.appId,
    appCertificate: settings.appCertificate,
    log,
    onPublishing: (cname) => service.publishingChanged(cname),
  });
  const parts = { faults, refusals, store, notifier, backupCloud, mediaServer, log };
  const service = new RecordingService(settings, parts);
  const control = controlOf(service, faults, notifier, log);
  const handle = requestHandler({ settings, service, control, refusals });
  if (settings.media === "prepared") await prepareClip();
  const server = http.createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      log("call failed", { path: request.url, why: reasonOf(error) });
      response.destroy();
    });
  });
  server.on("upgrade", (request, socket, head) => mediaServer.upgrade(request, socket, head));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(settings.port, "127.0.0.1", resolve);
  });
  service.resumeUnfinished();
  if (settings.trouble) control.trouble(settings.trouble);
  // Encoding the sound takes a moment; the first recording should not wait for it.
  beepTrack(0).catch((error: unknown) => log("no sound can be encoded", { why: reasonOf(error) }));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the server has no address");
  return {
    address: `http://127.0.0.1:${address.port}`,
    control,
    mediaServer,
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      control.clearFaults();
      await service.abandon();
      await mediaServer.stop();
      await backupCloud.abandon();
      await notifier.stop();
      await closed;
      if (temporary) rmSync(temporary, { recursive: true, force: true });
    },
  };
}
