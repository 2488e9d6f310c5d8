import { AudioLines, CloudOff, Film, LoaderCircle, Play, Trash2 } from "lucide-react";
import type { RecordingCard } from "../../backend/recording-card.ts";
import { isWatchable } from "../../backend/recording-card.ts";
import { classes } from "../../design/class-names.ts";
import { formatClock } from "../../design/format.ts";

/**
 * The picture's place: as wide as high a picture is, whatever is there. Addresses of pictures are given with the playback's, one
 * recording at a time, so a list shows what kind of thing it is; the length stands in its corner.
 */
export function Thumbnail({ card, className }: { card: RecordingCard; className?: string }) {
  const canWatch = isWatchable(card);
  return (
    <div
      aria-hidden="true"
      className={classes(
        "relative flex aspect-video shrink-0 items-center justify-center overflow-hidden rounded-control",
        canWatch ? "bg-linear-to-br from-accent-soft to-sunken text-accent-ink" : "bg-sunken text-ink-faint",
        className,
      )}
    >
      {iconOf(card, canWatch)}
      {card.duration_ms !== null && card.status !== "expired" && (
        <span className="absolute bottom-1 right-1 rounded bg-black/75 px-1.5 py-px text-xs font-medium tabular-nums text-white">
          {formatClock(card.duration_ms)}
        </span>
      )}
    </div>
  );
}

function iconOf(card: RecordingCard, canWatch: boolean) {
  if (card.status === "failed") return <CloudOff className="size-6" />;
  if (card.status === "expired" || card.is_being_deleted) return <Trash2 className="size-6" />;
  if (!canWatch) return <LoaderCircle className="size-6 animate-breathe" />;
  if (card.quality === "audio")
    return <AudioLines className="size-7 max-sm:size-5 max-sm:-translate-y-1.5" />;
  return (
    <>
      <Film className="absolute size-16 opacity-10 max-sm:size-10" />
      <span className="flex size-9 items-center justify-center rounded-full bg-surface/90 shadow-card max-sm:size-7 max-sm:-translate-y-1.5">
        <Play className="ml-0.5 size-4 fill-current" />
      </span>
    </>
  );
}
