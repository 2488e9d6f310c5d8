import { Camera, CameraOff, Mic, MicOff, TriangleAlert, Video as VideoIcon } from "lucide-react";
import { type FormEvent, useId, useRef, useState } from "react";
import type { Mentorship } from "../../backend/people.ts";
import { Avatar } from "../../design/avatar.tsx";
import { Button, IconButton } from "../../design/button.tsx";
import { Notice } from "../../design/states.tsx";
import { call as texts } from "../../texts/call.ts";
import { troubleText } from "../../texts/call-troubles.ts";
import type { Choices } from "./choices.ts";
import { DevicePickers } from "./device-pickers.tsx";
import { Video } from "./picture.tsx";
import { useDevices, useLoudness, usePreviewDevice } from "./preview.ts";
import type { RecordingView } from "./recording-view.ts";

export interface LobbyProps {
  mentorship: Mentorship;
  choices: Choices;
  onChoose(change: Partial<Choices>): void;
  isJoining: boolean;
  /** Why the last stay did not come about. */
  trouble: string | undefined;
  partnerIsHere: boolean;
  /** This person is in the call in another tab. */
  isMeElsewhere: boolean;
  recording: RecordingView | undefined;
  /** The tracks of the preview are handed over with it. */
  onJoin(tracks: { camera?: MediaStreamTrack; microphone?: MediaStreamTrack }): void;
}

/** Before the call: how one will be seen and heard, who is in, whether it is recorded. */
export function Lobby(props: LobbyProps) {
  const { mentorship, choices, onChoose, isJoining, trouble, partnerIsHere, recording, onJoin } = props;
  const isOver = mentorship.status !== "active";
  const isPreviewing = !isOver;
  const camera = usePreviewDevice("camera", isPreviewing && choices.hasCamera, choices.cameraId);
  const microphone = usePreviewDevice(
    "microphone",
    isPreviewing && choices.hasMicrophone,
    choices.microphoneId,
  );
  // A refused device is off, whatever was chosen: pressing its button asks for it again.
  const hasCamera = choices.hasCamera && camera.problem === undefined;
  const hasMicrophone = choices.hasMicrophone && microphone.problem === undefined;
  const devices = useDevices(`${camera.track?.id} ${microphone.track?.id}`);
  const partner = texts.partner(mentorship.partner.name);
  const isRecorded = recording?.isLive ?? false;
  const consentId = useId();

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isJoining) return;
    const tracks = { camera: camera.take(), microphone: microphone.take() };
    onJoin({
      ...(tracks.camera ? { camera: tracks.camera } : {}),
      ...(tracks.microphone ? { microphone: tracks.microphone } : {}),
    });
  };

  if (isOver) {
    return (
      <div className="mx-auto w-full max-w-2xl px-4 py-10">
        <Notice tone="neutral">{texts.ended}</Notice>
      </div>
    );
  }
  return (
    <form
      onSubmit={submit}
      className="mx-auto grid w-full max-w-5xl flex-1 content-center items-center gap-6 px-4 py-6 sm:px-6 lg:grid-cols-[3fr_2fr] lg:gap-10"
    >
      <div className="space-y-3">
        <div className="relative flex aspect-video items-center justify-center overflow-hidden rounded-card bg-[#1b1f27] text-white shadow-card">
          {camera.track !== undefined ? (
            <Video track={camera.track} label={texts.preview} isMirrored />
          ) : (
            <div className="flex flex-col items-center gap-3 px-6 pb-10 text-center">
              <Avatar name={mentorship.me.name} className="size-20 text-2xl" />
              {!hasCamera && <p>{texts.cameraIsOff}</p>}
            </div>
          )}
          <div className="absolute inset-x-0 bottom-3 flex justify-center gap-3">
            <RoundToggle
              label={texts.microphone}
              isOn={hasMicrophone}
              on={<Mic />}
              off={<MicOff />}
              onChange={(isOn) =>
                isOn && microphone.problem !== undefined
                  ? microphone.retry()
                  : onChoose({ hasMicrophone: isOn })
              }
            />
            <RoundToggle
              label={texts.camera}
              isOn={hasCamera}
              on={<Camera />}
              off={<CameraOff />}
              onChange={(isOn) =>
                isOn && camera.problem !== undefined ? camera.retry() : onChoose({ hasCamera: isOn })
              }
            />
          </div>
        </div>
        <MicrophoneMeter track={microphone.track} isOn={hasMicrophone} />
        {[camera.problem, microphone.problem].map(
          (problem) =>
            problem !== undefined && (
              <Notice key={problem} tone="warn" icon={<TriangleAlert />}>
                {problem}
              </Notice>
            ),
        )}
      </div>
      <div className="space-y-5">
        {trouble !== undefined && <Trouble code={trouble} />}
        <div className="space-y-1">
          <p className="flex items-center gap-2.5 text-lg font-semibold">
            <Avatar name={mentorship.partner.name} className="size-9 text-sm" />
            {partnerIsHere ? texts.someoneIsIn(partner) : texts.nobodyIsIn}
          </p>
          <p className="text-ink-soft">{texts.getReady}</p>
          {props.isMeElsewhere && <p className="text-ink-soft">{texts.youAreElsewhere}</p>}
        </div>
        <DevicePickers devices={devices} choices={choices} onChoose={onChoose} />
        {isRecorded && (
          <div id={consentId}>
            <Notice tone="bad" icon={<VideoIcon />}>
              {texts.consentBefore(partner)}
            </Notice>
          </div>
        )}
        <Button
          type="submit"
          look="primary"
          size="large"
          className="w-full"
          isBusy={isJoining}
          aria-describedby={isRecorded ? consentId : undefined}
        >
          {isJoining ? texts.joining : isRecorded ? texts.joinWhileRecorded : texts.join}
        </Button>
      </div>
    </form>
  );
}

function Trouble({ code }: { code: string }) {
  const { sentence, action } = troubleText(code);
  return (
    <Notice tone="bad" isUrgent icon={<TriangleAlert />}>
      <strong className="font-semibold">{sentence}</strong> {action}
    </Notice>
  );
}

function RoundToggle({
  label,
  isOn,
  on,
  off,
  onChange,
}: {
  label: string;
  isOn: boolean;
  on: React.ReactNode;
  off: React.ReactNode;
  onChange(isOn: boolean): void;
}) {
  return (
    <IconButton
      label={label}
      aria-pressed={isOn}
      icon={isOn ? on : off}
      onClick={() => onChange(!isOn)}
      className={
        isOn
          ? "size-12 rounded-full bg-black/55 text-white hover:bg-black/75 hover:text-white"
          : "size-12 rounded-full bg-danger text-white hover:bg-danger-strong hover:text-white"
      }
    />
  );
}

/** Moves with one's voice. Drawn past React: ten times a second is no news. */
function MicrophoneMeter({ track, isOn }: { track: MediaStreamTrack | undefined; isOn: boolean }) {
  const bar = useRef<HTMLSpanElement>(null);
  const meter = useRef<HTMLMeterElement>(null);
  const [hasSpoken, setSpoken] = useState(false);
  useLoudness(track, (level) => {
    bar.current?.style.setProperty("width", `${Math.round(level * 100)}%`);
    if (meter.current) meter.current.value = Math.round(level * 100);
    if (level > 0.3) setSpoken(true);
  });
  return (
    <div className="flex items-center gap-3 text-sm text-ink-soft">
      {isOn ? (
        <Mic aria-hidden="true" className="size-4 shrink-0" />
      ) : (
        <MicOff aria-hidden="true" className="size-4 shrink-0" />
      )}
      {isOn ? (
        <>
          <meter ref={meter} min={0} max={100} value={0} aria-label={texts.loudness} className="sr-only" />
          <div aria-hidden="true" className="h-2 w-32 shrink-0 overflow-hidden rounded-full bg-line">
            <span
              ref={bar}
              className="block h-full w-0 rounded-full bg-good transition-[width] duration-100"
            />
          </div>
          <span>{!hasSpoken && texts.speakToTest}</span>
        </>
      ) : (
        <span>{texts.microphoneIsOff}</span>
      )}
    </div>
  );
}
