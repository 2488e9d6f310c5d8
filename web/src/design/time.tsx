import { useEffect, useState } from "react";
import { formatDateTime, formatRelative } from "./format.ts";

/** "3 days ago", with the whole date under the pointer; moves on by itself. `at` is ISO 8601. */
export function Ago({ at }: { at: string }) {
  useNow(30_000);
  return (
    <time dateTime={at} title={formatDateTime(at)}>
      {formatRelative(at)}
    </time>
  );
}

/** The present moment, ms, renewed every `everyMs` while the page is seen; undefined: never. */
export function useNow(everyMs: number | undefined): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (everyMs === undefined) return;
    setNow(Date.now());
    const timer = setInterval(() => document.visibilityState === "visible" && setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
