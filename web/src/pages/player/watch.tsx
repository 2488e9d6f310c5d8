import { RotateCcw } from "lucide-react";
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useSearchParams } from "react-router";
import { whenOnline } from "../../app/when-online.ts";
import { asBackendError } from "../../backend/errors.ts";
import { savePosition, tellPlayback } from "../../backend/playback.ts";
import { isPlayable, type PlaybackAddresses } from "../../backend/playback-addresses.ts";
import type { RecordingCard } from "../../backend/recording-card.ts";
import { Button } from "../../design/button.tsx";
import { formatClock } from "../../design/format.ts";
import { Skeleton } from "../../design/skeleton.tsx";
import { ErrorState, Notice } from "../../design/states.tsx";
import { textOfError } from "../../texts/errors.ts";
import { playerTexts as texts } from "../../texts/player.ts";
import { whenOf } from "../recordings/card-words.ts";
import { CopyLink } from "./copy-link.tsx";
import { DownloadButtons, DownloadProgress } from "./downloads.tsx";
import { gapMarksOf } from "./gap-marks.ts";
import { GapBar, GapList } from "./gaps.tsx";
import { createPlayClock } from "./play-clock.ts";
import type { PlayerHandle, RecordingPlayerProps } from "./recording-player.tsx";
import { createPositionKeeper, startOf } from "./resume.ts";
import { secondsOfLink } from "./time-in-link.ts";
import { useDownload } from "./use-download.ts";
import { usePlayback } from "./use-playback.ts";

// Begun with the page, beside the question for the addresses.
const loadPlayer = whenOnline(() => import("./recording-player.tsx"));
const playerCode = loadPlayer();
// Somebody else asks for it too, and is told when it does not come.
playerCode.catch(() => undefined);
const RecordingPlayer = lazy(() => playerCode);

/** The picture's place, as large as it will be. */
const Place = () => <Skeleton className="aspect-video w-full rounded-card" />;

/** The player and what belongs to it. */
export function Watch({ card }: { card: RecordingCard }) {
  const { addresses, error, refetch, open } = usePlayback(card.id);
  if (error !== undefined) return <ErrorState error={error} onRetry={refetch} />;
  if (addresses === undefined) return <Place />;
  if (!isPlayable(addresses)) return <ErrorState error={undefined} onRetry={refetch} />;
  return <Playing card={card} first={addresses} open={open} />;
}

function Playing({
  card,
  first,
  open,
}: {
  card: RecordingCard;
  first: PlaybackAddresses;
  open: () => Promise<PlaybackAddresses>;
}) {
  const [parameters] = useSearchParams();
  const link = parameters.get("t");
  // Where it begins is decided once; the address may change later, when somebody goes back and forth.
  const [start] = useState(() =>
    startOf({ link: secondsOfLink(link), saved: first.position_seconds, duration: first.duration_seconds }),
  );
  const [clock] = useState(() => {
    const made = createPlayClock();
    made.set(start.atSeconds);
    return made;
  });
  const player = useRef<PlayerHandle>(null);
  const [hasStarted, setStarted] = useState(false);
  const onWatched = useWatching(card.id, () => setStarted(true));
  const [viewed] = useState(() => ({ first, open }));
  const download = useDownload(
    open,
    useCallback(() => onWatched("downloaded", clock.seconds()), [onWatched, clock]),
  );
  const marks = useMemo(
    () => gapMarksOf(card.gaps, card.duration_ms === null ? null : card.duration_ms / 1000),
    [card.gaps, card.duration_ms],
  );
  const when = whenOf(card);

  // A link to another moment of the same recording, while it is open.
  const shownLink = useRef(link);
  useEffect(() => {
    if (shownLink.current === link) return;
    shownLink.current = link;
    const seconds = secondsOfLink(link);
    if (seconds !== undefined) player.current?.seek(seconds);
  }, [link]);

  return (
    <div className="space-y-4">
      <section aria-label={texts.playerLabel}>
        <Suspense fallback={<Place />}>
          <RecordingPlayer
            ref={player}
            title={texts.title(when)}
            first={viewed.first}
            open={viewed.open}
            start={start}
            clock={clock}
            onWatched={onWatched}
          />
        </Suspense>
      </section>
      <GapBar marks={marks} />
      <MoreArrived card={card} firstDurationMs={(first.duration_seconds ?? 0) * 1000} player={player} />
      {start.because === "resumed" && !hasStarted && (
        <Notice
          tone="accent"
          action={
            <Button
              size="small"
              icon={<RotateCcw />}
              onClick={() => {
                player.current?.seek(0);
                clock.set(0);
                setStarted(true);
              }}
            >
              {texts.startOver}
            </Button>
          }
        >
          {texts.resumed(formatClock(start.atSeconds * 1000))}
        </Notice>
      )}
      <div className="flex flex-wrap gap-2">
        <DownloadButtons
          addresses={first}
          fileName={`${texts.title(when).replace(/[\\/:*?"<>|]/g, ".")}.mp4`}
          download={download}
        />
        <CopyLink clock={clock} />
      </div>
      <DownloadProgress state={download.state} onCancel={download.cancel} />
      {marks.length > 0 && <GapList marks={marks} onSeek={(seconds) => player.current?.seek(seconds)} />}
    </div>
  );
}

/** Remembers where this person is, and tells what happened while they watched. */
function useWatching(recordingId: string, onStarted: () => void) {
  const started = useRef(onStarted);
  started.current = onStarted;
  const [viewingId] = useState(() => crypto.randomUUID());
  const last = useRef(0);
  const hasBegun = useRef(false);
  const [keeper] = useState(() =>
    createPositionKeeper((positionMs) => {
      // Lost, it is saved five seconds later; a refused session asks to sign in by itself.
      void savePosition(recordingId, positionMs).catch(() => undefined);
    }),
  );
  useEffect(() => {
    const leave = () => {
      if (hasBegun.current && document.visibilityState === "hidden") keeper.leaving(last.current);
    };
    document.addEventListener("visibilitychange", leave);
    return () => {
      document.removeEventListener("visibilitychange", leave);
      if (hasBegun.current) keeper.leaving(last.current);
    };
  }, [keeper]);
  return useCallback(
    (what: Parameters<RecordingPlayerProps["onWatched"]>[0] | "downloaded", seconds: number) => {
      last.current = seconds;
      const tell = (kind: "started" | "paused" | "ended" | "failed" | "downloaded") =>
        void tellPlayback({ recordingId, viewingId, kind, positionMs: seconds * 1000 });
      if (what === "watching") {
        // Jumping about before the first play is not watching.
        if (hasBegun.current) keeper.watching(seconds);
        return;
      }
      if (what === "started") {
        if (hasBegun.current) return;
        hasBegun.current = true;
        started.current();
      }
      if (what === "paused" || what === "ended") keeper.leaving(seconds);
      tell(what);
    },
    [keeper, recordingId, viewingId],
  );
}

/** More of it came while the page was open: loaded at once where nobody is watching, offered otherwise. */
function MoreArrived({
  card,
  firstDurationMs,
  player,
}: {
  card: RecordingCard;
  firstDurationMs: number;
  player: React.RefObject<PlayerHandle | null>;
}) {
  const [loadedMs, setLoadedMs] = useState(firstDurationMs);
  const [problem, setProblem] = useState<string | undefined>();
  const there = card.duration_ms ?? 0;
  const isMore = there > loadedMs + 500;
  const load = useCallback(async () => {
    try {
      await player.current?.loadMore();
      setLoadedMs(there);
      setProblem(undefined);
    } catch (thrown) {
      setProblem(textOfError(asBackendError(thrown).code).sentence);
    }
  }, [player, there]);
  useEffect(() => {
    if (isMore && player.current?.isPaused() === true) void load();
  }, [isMore, load, player]);
  if (isMore) {
    return (
      <Notice
        tone="accent"
        action={
          <Button size="small" onClick={() => void load()}>
            {texts.loadMore}
          </Button>
        }
      >
        {problem ?? texts.moreArrived}
      </Notice>
    );
  }
  return card.status === "processing" ? <Notice>{texts.partsToCome}</Notice> : null;
}
