import { useEffect, useState } from "react";
import { Spinner } from "../design/spinner.tsx";
import { en } from "../texts/en.ts";
import { useOnline } from "./online.ts";

/** A page's code is on its way, or waits for the network. Nothing for the first moment: what comes at once must not flicker. */
export function PageLoading() {
  const [isLong, setLong] = useState(false);
  const isOnline = useOnline();
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), 200);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div role="status" className="flex min-h-[50vh] items-center justify-center text-ink-soft">
      {isLong && !isOnline ? (
        en.waitingForNetwork
      ) : (
        <>
          <span className="sr-only">{en.loading}</span>
          {isLong && <Spinner className="size-6" />}
        </>
      )}
    </div>
  );
}
