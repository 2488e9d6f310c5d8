import type { Log } from "../../stack/part.ts";
import type { BackupCloud } from "../backup-cloud.ts";
import type { MediaServer } from "../calls/media-server.ts";
import type { ChannelPeople } from "../channel-people.ts";
import type { Faults } from "../faults.ts";
import type { Refusals } from "../refusals/list.ts";
import type { AgoraSettings } from "../settings.ts";
import type { Notifier } from "../webhooks.ts";
import type { TaskStore } from "./task-store.ts";

/** What is recorded: people at the media server, or a simulated picture. */
export type MediaSource = "call" | "synthetic";

/** What a task needs of the service around it. */
export interface TaskDeps {
  settings: AgoraSettings;
  store: TaskStore;
  notifier: Notifier;
  faults: Faults;
  refusals: Refusals;
  backupCloud: BackupCloud;
  log: Log;
  mediaServer: MediaServer;
  people: Pick<ChannelPeople, "sourceOf" | "isPublishing" | "isMember">;
  /** Nothing of the task answers any more. */
  onGone(sid: string): void;
}
