import { parseEngineFileName } from "../agora/files.ts";
import { asRecorderError } from "../errors.ts";
import type { EngineTask } from "../jobs/job.ts";
import { attemptFolders } from "../recording-folder.ts";
import type { ControlDeps } from "./control-deps.ts";

/** Agora ends the first slice after 15 s; no file is worth looking for earlier than this after a start, ms. */
const FIRST_FILE_MS = 15_000;

/**
 * The sid of a task whose answer to start was lost, out of the names of its files: every attempt has a folder of its own,
 * and every file name carries the sid. Undefined while there is none, and where the bucket cannot be read: that must
 * neither end the search nor be taken for an answer.
 */
export async function findSid(
  recordingId: string,
  task: Pick<EngineTask, "id" | "attempt" | "start_sent_at">,
  { files, now, log }: Pick<ControlDeps, "files" | "now" | "log">,
): Promise<string | undefined> {
  if (task.start_sent_at === undefined || now() - task.start_sent_at < FIRST_FILE_MS) return undefined;
  const folder = `${attemptFolders(recordingId, task.attempt).join("/")}/`;
  try {
    // One page tells it or none does: all names of a folder carry the same sid.
    const { value: page } = await files.list(folder, { maxKeys: 100 }).next();
    const names = (page?.objects ?? []).map(({ key }) => parseEngineFileName(key.slice(folder.length)));
    return names.find((name) => name !== undefined)?.sid;
  } catch (thrown) {
    const { code, detail } = asRecorderError(thrown);
    log("sid.not_looked_for", { engine_task_id: task.id, code, detail });
    return undefined;
  }
}
