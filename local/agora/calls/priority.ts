import { setPriority } from "node:os";

/** Before other programs: whoever watches forgives a page that comes late, and never a call that stands still. */
const priority = -5;

/** Asks the system to let a process (this one, or that of `pid`) go first; where that is not allowed it goes on as it is. */
export function goFirst(pid = process.pid): void {
  try {
    setPriority(pid, priority);
  } catch {
    // An ordinary user may not; media server and recorder survive waiting, too.
  }
}
