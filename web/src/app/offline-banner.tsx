import { CloudOff } from "lucide-react";
import { en } from "../texts/en.ts";
import { useOnline } from "./online.ts";

/** Says that the network is gone; the region is there before, so that it is announced. */
export function OfflineBanner() {
  const isOnline = useOnline();
  return (
    <div role="status">
      {!isOnline && (
        <p className="flex items-center justify-center gap-2 bg-warn-soft px-4 py-2 text-sm text-warn">
          <CloudOff aria-hidden="true" className="size-4 shrink-0" />
          {en.offline}
        </p>
      )}
    </div>
  );
}
