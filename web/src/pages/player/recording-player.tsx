import "@vidstack/react/player/styles/default/theme.css";
import "@vidstack/react/player/styles/default/layouts/audio.css";
import "@vidstack/react/player/styles/default/layouts/video.css";
import {
  isHLSProvider,
  MEDIA_KEY_SHORTCUTS,
  type MediaErrorDetail,
  type MediaKeyShortcuts,
  MediaPlayer,
  type MediaPlayerInstance,
  MediaProvider,
  type MediaProviderAdapter,
} from "@vidstack/react";
import {
  DefaultAudioLayout,
  DefaultVideoLayout,
  defaultLayoutIcons,
} from "@vidstack/react/player/layouts/default";
import type { ErrorData } from "hls.js";
import { type Ref, useEffect, useImperativeHandle, useMemo, useRef, useState } from "react";
import { asBackendError } from "../../backend/errors.ts";
import type { PlaybackAddresses } from "../../backend/playback-addresses.ts";
import { useSession } from "../../backend/session.ts";
import { askAgain, prepareHls } from "./hls-player.ts";
import type { PlayClock } from "./play-clock.ts";
import { PlayerTrouble, type Trouble } from "./player-trouble.tsx";
import { createRenewal } from "./renewal.ts";
import type { Start } from "./resume.ts";

/** What the page may ask of its player. */
export interface PlayerHandle {
  seek(seconds: number): void;
  isPaused(): boolean;
  /** Loads what has come since, at the same second. Throws BackendError. */
  loadMore(): Promise<void>;
}

export interface RecordingPlayerProps {
  title: string;
  first: PlaybackAddresses;
  start: Start;
  clock: PlayClock;
  /** Asks for new addresses. Throws BackendError. */
  open: () => Promise<PlaybackAddresses>;
  onWatched: (what: "watching" | "paused" | "ended" | "started" | "failed", seconds: number) => void;
  ref: Ref<PlayerHandle>;
}

/** What to go back to after another source was loaded. */
interface Restore {
  seconds: number;
  rate: number;
  isPlaying: boolean;
  /** The player can play and was told; what is left is that it arrives there. */
  isApplied: boolean;
  /** How often it was sent there and stood elsewhere. */
  tries: number;
}

/**
 * Letters, space and the arrows to the sides play wherever one is on the page. Those up and down scroll it, as everywhere: the volume
 * has a slider, which takes them.
 */
const keyShortcuts: MediaKeyShortcuts = { ...MEDIA_KEY_SHORTCUTS, volumeUp: null, volumeDown: null };

/** So often a player that was put elsewhere (its buffers made anew, a default of the browser) is sent back. */
const MOST_TRIES = 5;
/** As near as a player comes to where it was sent, seconds. */
const NEAR = 0.5;

async function readText(url: string): Promise<string> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`the playlist was answered with ${answer.status}`);
  return await answer.text();
}

/** HLS where there is one, else the first MP4. `anew` makes another address of the same file, so that it is really loaded. */
function sourceOf(addresses: PlaybackAddresses, anew: number) {
  if (addresses.hls !== null) return { src: addresses.hls.url, type: "application/x-mpegurl" as const };
  const [mp4] = addresses.mp4;
  return {
    src: mp4 === undefined ? "" : `${mp4.url}${anew === 0 ? "" : `#${anew}`}`,
    type: "video/mp4" as const,
  };
}

/** The player. Its addresses end while somebody watches: they are renewed at the same second, and only what cannot be mended shows. */
export default function RecordingPlayer(props: RecordingPlayerProps) {
  const { title, first, start, clock, open, onWatched, ref } = props;
  const player = useRef<MediaPlayerInstance>(null);
  const renewal = useMemo(() => createRenewal(first, { open, readText, now: Date.now }), [first, open]);
  const [source, setSource] = useState(() => sourceOf(first, 0));
  const [trouble, setTrouble] = useState<Trouble | undefined>();
  // Until the player has arrived there it says 0, which is nobody's place.
  const restore = useRef<Restore | undefined>({
    seconds: start.atSeconds,
    rate: 1,
    isPlaying: false,
    isApplied: false,
    tries: 0,
  });
  const isRecovering = useRef(false);
  const loads = useRef(0);
  const session = useSession();
  const isAudio = first.quality === "audio";

  const seconds = () => restore.current?.seconds ?? player.current?.currentTime ?? 0;
  const hls = () => {
    const provider = player.current?.provider ?? null;
    return isHLSProvider(provider) ? provider : undefined;
  };

  const loadAnew = () => {
    const { current } = player;
    restore.current ??= {
      seconds: current?.currentTime ?? 0,
      rate: current?.playbackRate ?? 1,
      isPlaying: current?.paused === false,
      isApplied: false,
      tries: 0,
    };
    restore.current.isApplied = false;
    const provider = hls();
    if (provider !== undefined)
      provider.config = { ...provider.config, startPosition: restore.current.seconds };
    loads.current += 1;
    setSource(sourceOf(renewal.current(), loads.current));
  };

  const fail = (thrown: unknown) => {
    setTrouble({ kind: "refused_by_us", error: asBackendError(thrown) });
    onWatched("failed", seconds());
  };

  // 401 or 403: an address has ended. hls.js would go on asking for it in silence.
  const recover = async () => {
    if (isRecovering.current) return;
    isRecovering.current = true;
    setTrouble({ kind: "slow" });
    try {
      const remedy = await renewal.refused();
      const provider = hls();
      if (remedy === "give_up") {
        setTrouble({ kind: "refused" });
        onWatched("failed", seconds());
      } else if (remedy === "ask_again" && provider !== undefined) {
        askAgain(provider, seconds());
      } else {
        loadAnew();
      }
    } catch (thrown) {
      fail(thrown);
    } finally {
      isRecovering.current = false;
    }
  };

  const tryAgain = async () => {
    setTrouble({ kind: "slow" });
    try {
      await renewal.renew();
      loadAnew();
    } catch (thrown) {
      fail(thrown);
    }
  };

  // Signed in again over the page: the picture goes on by itself, with what it has and addresses that hold.
  const isAskedToSignIn = trouble?.kind === "refused_by_us" && trouble.error.code === "sign_in_required";
  // biome-ignore lint/correctness/useExhaustiveDependencies: recover is new at every render, the session is what counts.
  useEffect(() => {
    if (isAskedToSignIn && session.status === "signed_in") void recover();
  }, [isAskedToSignIn, session.status]);

  const isUnreachable = trouble?.kind === "unreachable";
  // biome-ignore lint/correctness/useExhaustiveDependencies: tryAgain is new at every render.
  useEffect(() => {
    if (!isUnreachable) return;
    const goOn = () => void tryAgain();
    window.addEventListener("online", goOn);
    return () => window.removeEventListener("online", goOn);
  }, [isUnreachable]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: what it closes over lives in refs.
  useImperativeHandle(
    ref,
    (): PlayerHandle => ({
      seek: (to) => {
        if (restore.current !== undefined && !restore.current.isApplied) restore.current.seconds = to;
        else if (player.current !== null) {
          restore.current = undefined;
          player.current.currentTime = to;
        }
      },
      isPaused: () => player.current?.paused ?? true,
      loadMore: async () => {
        await renewal.renew();
        loadAnew();
      },
    }),
    [renewal],
  );

  const onProviderChange = (provider: MediaProviderAdapter | null) => {
    if (isHLSProvider(provider)) prepareHls(provider, renewal, start.atSeconds);
  };
  const onHlsError = (data: ErrorData) => {
    if (data.fatal && data.type === "mediaError") {
      // Its buffers are made anew, which stops the video and puts it to 0.
      const { current } = player;
      const isPlaying = current?.paused === false;
      if (restore.current === undefined) {
        restore.current = {
          seconds: current?.currentTime ?? 0,
          rate: current?.playbackRate ?? 1,
          isPlaying,
          isApplied: true,
          tries: 0,
        };
      } else if (isPlaying) restore.current.isPlaying = true;
      return;
    }
    if (data.response?.code === 401 || data.response?.code === 403) void recover();
    else if (data.type !== "networkError") return;
    else if (data.fatal) {
      setTrouble({ kind: "unreachable" });
      onWatched("failed", seconds());
    } else setTrouble((before) => before ?? { kind: "slow" });
  };
  const onError = ({ code }: MediaErrorDetail) => {
    // hls.js has told above, with more to say.
    if (hls()?.instance != null) return;
    // 3: the bytes came and cannot be decoded; anything else may be an address that ended.
    if (code === 3) setTrouble({ kind: "broken" });
    else void recover();
  };
  const onCanPlay = () => {
    const wanted = restore.current;
    const { current } = player;
    if (wanted === undefined || wanted.isApplied || current === null) return;
    wanted.isApplied = true;
    if (Math.abs(current.currentTime - wanted.seconds) > NEAR) current.currentTime = wanted.seconds;
    current.playbackRate = wanted.rate;
    // A browser may refuse to play without a press: then the play button is there.
    if (wanted.isPlaying) current.play().catch(() => undefined);
  };
  /** Whether what the player says is where the person is. Where it stands elsewhere, it is sent back. */
  const hasArrived = (at: number) => {
    const wanted = restore.current;
    const { current } = player;
    if (wanted === undefined) return true;
    if (!wanted.isApplied || current === null) return false;
    if (Math.abs(at - wanted.seconds) < NEAR || wanted.tries >= MOST_TRIES) {
      restore.current = undefined;
      if (wanted.isPlaying && current.paused) current.play().catch(() => undefined);
      return true;
    }
    if (!current.state.seeking) {
      wanted.tries += 1;
      current.currentTime = wanted.seconds;
    }
    return false;
  };

  return (
    <div className="relative flex overflow-hidden rounded-card bg-black shadow-raised">
      <MediaPlayer
        ref={player}
        src={source}
        title={title}
        viewType={isAudio ? "audio" : "video"}
        streamType="on-demand"
        load="eager"
        preload="auto"
        crossOrigin
        playsInline
        keyTarget="document"
        keyShortcuts={keyShortcuts}
        poster={first.thumbnail?.url ?? ""}
        className="aspect-video w-full bg-black text-white data-[view-type=audio]:aspect-auto"
        style={{ "--media-brand": "#6366f1", "--video-border": "0", "--media-focus-ring-color": "#a5b4fc" }}
        onProviderChange={onProviderChange}
        onHlsError={onHlsError}
        onHlsFragLoaded={() => setTrouble(undefined)}
        onError={onError}
        onCanPlay={onCanPlay}
        onLoadedData={() => hasArrived(player.current?.currentTime ?? 0)}
        onMediaSeekRequest={() => {
          // A person who seeks before it has arrived is somewhere else on purpose.
          if (restore.current?.isApplied === true) restore.current = undefined;
        }}
        onMediaPlayRequest={() => {
          // Pressed before it has arrived: what happens on the way must not undo it.
          if (restore.current !== undefined) restore.current.isPlaying = true;
        }}
        onMediaPauseRequest={() => {
          if (restore.current !== undefined) restore.current.isPlaying = false;
        }}
        onPlaying={() => {
          setTrouble(undefined);
          onWatched("started", seconds());
        }}
        onTimeUpdate={({ currentTime }) => {
          if (!hasArrived(currentTime)) return;
          clock.set(currentTime);
          onWatched("watching", currentTime);
        }}
        onSeeked={(currentTime) => {
          if (hasArrived(currentTime)) clock.set(currentTime);
        }}
        onPause={() => restore.current === undefined && onWatched("paused", seconds())}
        onEnded={() => onWatched("ended", seconds())}
      >
        <MediaProvider />
        {/* A cast button would fetch a script from elsewhere. */}
        {isAudio ? (
          <DefaultAudioLayout
            icons={defaultLayoutIcons}
            colorScheme="dark"
            slots={{ googleCastButton: null }}
          />
        ) : (
          <DefaultVideoLayout
            icons={defaultLayoutIcons}
            colorScheme="dark"
            slots={{ googleCastButton: null }}
          />
        )}
      </MediaPlayer>
      <PlayerTrouble trouble={trouble} onTryAgain={() => void tryAgain()} />
    </div>
  );
}
