import { TriangleAlert } from "lucide-react";
import type { BackendError } from "../../backend/errors.ts";
import { Button } from "../../design/button.tsx";
import { Spinner } from "../../design/spinner.tsx";
import { textOfError } from "../../texts/errors.ts";
import { playerTexts as texts } from "../../texts/player.ts";

/** What keeps the picture from going on. */
export type Trouble =
  /** The store is asked again at the moment. */
  | { kind: "slow" }
  /** The store does not answer. */
  | { kind: "unreachable" }
  /** It refuses fresh addresses too. */
  | { kind: "refused" }
  /** The bytes came, and this browser cannot play them. */
  | { kind: "broken" }
  /** Our own function refuses: signed out, deleted meanwhile, access taken away. */
  | { kind: "refused_by_us"; error: BackendError };

const words = { unreachable: texts.failedText, refused: texts.refusedText, broken: texts.brokenText };

/** Over the picture: what is wrong, and what one can do. The region is there before, so that it is announced. */
export function PlayerTrouble({
  trouble,
  onTryAgain,
}: {
  trouble: Trouble | undefined;
  onTryAgain: () => void;
}) {
  return (
    <div role="status">
      {trouble?.kind === "slow" && (
        <p className="absolute inset-x-0 top-0 z-10 flex items-center gap-2 bg-black/75 px-4 py-2 text-sm text-white">
          <Spinner />
          {texts.trouble}
        </p>
      )}
      {trouble !== undefined && trouble.kind !== "slow" && (
        <div className="absolute inset-0 z-10 flex flex-col items-center justify-center gap-3 bg-black/85 px-6 text-center text-white">
          <TriangleAlert aria-hidden="true" className="size-8 text-[#fda29b]" />
          <p className="font-semibold">
            {trouble.kind === "refused_by_us" ? textOfError(trouble.error.code).sentence : texts.failedTitle}
          </p>
          <p className="max-w-md text-sm text-white/80">
            {trouble.kind === "refused_by_us" ? textOfError(trouble.error.code).action : words[trouble.kind]}
          </p>
          <Button look="primary" onClick={onTryAgain}>
            {texts.tryAgain}
          </Button>
        </div>
      )}
    </div>
  );
}
