import { useEffect, useState } from "react";
import { Spinner } from "../design/spinner.tsx";
import { en } from "../texts/en.ts";

/** A page's code is on its way. Nothing for the first moment: what comes at once must not flicker. */
export function PageLoading() {
  const [isLong, setLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), 200);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div role="status" className="flex min-h-[50vh] items-center justify-center text-ink-soft">
      <span className="sr-only">{en.loading}</span>
      {isLong && <Spinner className="size-6" />}
    </div>
  );
}
