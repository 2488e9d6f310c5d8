import { Scissors } from "lucide-react";
import { formatClock, formatDuration } from "../../design/format.ts";
import { playerTexts as texts } from "../../texts/player.ts";
import type { GapMark } from "./gap-marks.ts";

const missingOf = (mark: GapMark) =>
  mark.missingSeconds === null
    ? undefined
    : formatDuration(Math.max(1, Math.round(mark.missingSeconds)) * 1000);

function wordsOf(mark: GapMark): string {
  const missing = missingOf(mark);
  if (mark.place === "beginning") return texts.gapAtBeginning(missing);
  if (mark.place === "end") return texts.gapAtEnd(missing);
  return texts.gap(formatClock(mark.atSeconds * 1000), missing);
}

/** A thin copy of the time line below the picture, with a mark where something is missing. The list says the same in words. */
export function GapBar({ marks }: { marks: readonly GapMark[] }) {
  if (marks.length === 0) return null;
  return (
    <div aria-hidden="true" title={texts.marksLabel} className="relative mx-3 h-2 rounded-full bg-line">
      {marks.map((mark) => (
        <span
          key={`${mark.atSeconds} ${mark.missingSeconds}`}
          className="absolute -top-1 h-4 w-1 -translate-x-1/2 rounded-full bg-warn"
          style={{ left: `${mark.percent}%` }}
        />
      ))}
    </div>
  );
}

/** What is missing, in words; a press goes a little before the place, so that one sees the jump. */
export function GapList({ marks, onSeek }: { marks: readonly GapMark[]; onSeek: (seconds: number) => void }) {
  return (
    <section
      aria-labelledby="gaps"
      className="space-y-2 rounded-card border border-transparent bg-warn-soft p-4"
    >
      <h2 id="gaps" className="flex items-center gap-2 font-semibold text-warn">
        <Scissors aria-hidden="true" className="size-4" />
        {texts.gapsTitle}
      </h2>
      <p className="text-sm text-ink-soft">{texts.gapsText}</p>
      <ul className="flex flex-wrap gap-2">
        {marks.map((mark) => (
          <li key={`${mark.atSeconds} ${mark.missingSeconds}`}>
            <button
              type="button"
              onClick={() => onSeek(Math.max(0, mark.atSeconds - 3))}
              className="min-h-8 rounded-full border border-warn/40 bg-surface px-3 text-sm text-ink hover:border-warn pointer-coarse:min-h-11"
            >
              {wordsOf(mark)}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
