import { MicOff } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import { Avatar } from "../../design/avatar.tsx";
import { classes } from "../../design/class-names.ts";
import { call as texts } from "../../texts/call.ts";

/** Shows a track. Without one, nothing: the last picture must not look like the present one. */
export function Video({
  track,
  label,
  isMirrored,
  isWhole,
}: {
  track: MediaStreamTrack;
  label: string;
  isMirrored?: boolean;
  /** All of it with bars, rather than filled and cut: a screen. */
  isWhole?: boolean;
}) {
  const ref = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const video = ref.current;
    if (video === null) return;
    video.srcObject = new MediaStream([track]);
    // Silent pictures may always play; a tab in the background starts later by itself.
    video.play().catch(() => undefined);
    return () => {
      video.srcObject = null;
    };
  }, [track]);
  return (
    <video
      ref={ref}
      muted
      playsInline
      autoPlay
      aria-label={label}
      className={classes(
        "absolute inset-0 size-full",
        isWhole ? "object-contain" : "object-cover",
        isMirrored && "-scale-x-100",
      )}
    />
  );
}

/** Plays somebody's sound. */
export function Sound({
  track,
  onBlocked,
  again,
}: {
  track: MediaStreamTrack;
  onBlocked(): void;
  /** Changes when the person has allowed sound by a click. */
  again: unknown;
}) {
  const ref = useRef<HTMLAudioElement>(null);
  const blocked = useRef(onBlocked);
  blocked.current = onBlocked;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `again` is the very reason to try again
  useEffect(() => {
    const audio = ref.current;
    if (audio === null) return;
    audio.srcObject = new MediaStream([track]);
    audio.play().catch((error: unknown) => {
      if (error instanceof Error && error.name === "NotAllowedError") blocked.current();
    });
    return () => {
      audio.srcObject = null;
    };
  }, [track, again]);
  // biome-ignore lint/a11y/useMediaCaption: a live conversation has no captions to show
  return <audio ref={ref} />;
}

/** One person's place on the stage. */
export function Tile({
  name,
  note,
  track,
  videoLabel,
  isMirrored,
  isWhole,
  isMuted,
  isSpeaking,
  isDimmed,
  className,
  children,
}: {
  name: string;
  note?: string;
  track: MediaStreamTrack | undefined;
  videoLabel: string;
  isMirrored?: boolean;
  isWhole?: boolean;
  isMuted?: boolean;
  isSpeaking?: boolean;
  isDimmed?: boolean;
  className?: string;
  children?: ReactNode;
}) {
  return (
    <figure
      className={classes(
        "flex min-h-0 items-center justify-center overflow-hidden rounded-card bg-[#1b1f27] text-white transition-shadow",
        isSpeaking && "ring-3 ring-accent",
        className ?? "relative",
      )}
    >
      {track === undefined ? (
        <Avatar name={name} className="size-16 text-xl sm:size-20 sm:text-2xl" />
      ) : (
        <Video track={track} label={videoLabel} isMirrored={isMirrored ?? false} isWhole={isWhole ?? false} />
      )}
      {isDimmed && <div className="absolute inset-0 bg-black/55" />}
      <figcaption className="absolute bottom-2 left-2 flex max-w-[calc(100%-1rem)] items-center gap-1.5 rounded-full bg-black/65 px-3 py-1 text-sm font-medium">
        {isMuted && (
          <>
            <MicOff aria-hidden="true" className="size-4 shrink-0" />
            <span className="sr-only">{texts.isMuted}:</span>
          </>
        )}
        <span className="truncate">{name}</span>
        {note !== undefined && <span className="shrink-0 text-white/80">{note}</span>}
      </figcaption>
      {children}
    </figure>
  );
}
