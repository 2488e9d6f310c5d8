import { useEffect, useState } from "react";
import type { CallSession } from "./call-session.ts";

/** Louder than this, 0 to 1, is speech rather than a room. */
const speech = 0.04;
const everyMs = 300;

/** Uids of those who speak at the moment. */
export function useSpeakers(session: CallSession): ReadonlySet<number> {
  const [speakers, setSpeakers] = useState<ReadonlySet<number>>(new Set());
  useEffect(() => {
    let isCurrent = true;
    const timer = setInterval(() => {
      session.levels().then(
        (levels) => {
          if (!isCurrent) return;
          const loud = new Set([...levels].filter(([, level]) => level > speech).map(([uid]) => uid));
          setSpeakers((before) => (isSame(before, loud) ? before : loud));
        },
        // A connection that is just ending has no levels.
        () => undefined,
      );
    }, everyMs);
    return () => {
      isCurrent = false;
      clearInterval(timer);
    };
  }, [session]);
  return speakers;
}

const isSame = (a: ReadonlySet<number>, b: ReadonlySet<number>): boolean =>
  a.size === b.size && [...a].every((uid) => b.has(uid));
