import { Camera, CameraOff, Mic, MicOff, MonitorUp, PhoneOff, Settings } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Button, IconButton } from "../../design/button.tsx";
import { Dialog } from "../../design/dialog.tsx";
import { call as texts } from "../../texts/call.ts";
import type { CallSession, CallView } from "./call-session.ts";
import type { Choices } from "./choices.ts";
import { DevicePickers } from "./device-pickers.tsx";
import { useDevices } from "./preview.ts";
import { RecordingControl } from "./recording-control.tsx";
import type { CallRecording } from "./use-recording.ts";

export interface CallControlsProps {
  session: CallSession;
  view: CallView;
  recording: CallRecording;
  choices: Choices;
  onChoose(change: Partial<Choices>): void;
  /** Does something with a device, and shows what went wrong. */
  attempt(kind: "camera" | "microphone" | "screen", work: Promise<void>): void;
  onLeave(): void;
}

/** The bar below the call. */
export function CallControls({
  session,
  view,
  recording,
  choices,
  onChoose,
  attempt,
  onLeave,
}: CallControlsProps) {
  const [showsDevices, setShowsDevices] = useState(false);
  const { own } = view;
  const canShare = typeof navigator.mediaDevices?.getDisplayMedia === "function";
  const hasCamera = own.camera !== undefined;
  return (
    <section
      aria-label={texts.controls}
      className="flex flex-wrap items-center justify-center gap-2 sm:mr-auto"
    >
      <Toggle
        label={texts.microphone}
        isOn={own.isMicrophoneOn}
        on={<Mic />}
        off={<MicOff />}
        onChange={(isOn) => {
          onChoose({ hasMicrophone: isOn });
          attempt("microphone", session.setMicrophone(isOn, choices.microphoneId));
        }}
      />
      <Toggle
        label={texts.camera}
        isOn={hasCamera}
        on={<Camera />}
        off={<CameraOff />}
        isBusy={view.switching.has("camera")}
        onChange={(isOn) => {
          onChoose({ hasCamera: isOn });
          attempt("camera", session.setCamera(isOn, choices.cameraId));
        }}
      />
      {canShare && (
        <IconButton
          label={texts.screen}
          icon={<MonitorUp />}
          isPressed={own.screen !== undefined}
          className="size-11 border border-line bg-surface"
          onClick={() =>
            attempt("screen", own.screen === undefined ? session.shareScreen() : session.stopSharing())
          }
        />
      )}
      <IconButton
        label={texts.devices}
        icon={<Settings />}
        className="size-11 border border-line bg-surface"
        onClick={() => setShowsDevices(true)}
      />
      {recording.view !== undefined && (
        <RecordingControl
          view={recording.view}
          choices={choices}
          onChoose={onChoose}
          onStart={() => recording.start(choices)}
          onStop={recording.stop}
        />
      )}
      <Button look="danger" className="min-h-11" icon={<PhoneOff aria-hidden="true" />} onClick={onLeave}>
        {texts.leave}
      </Button>
      {showsDevices && (
        <Devices
          view={view}
          choices={choices}
          onClose={() => setShowsDevices(false)}
          onChoose={(change) => {
            onChoose(change);
            if (change.cameraId !== undefined && hasCamera)
              attempt("camera", session.switchDevice("camera", change.cameraId));
            if (change.microphoneId !== undefined && own.isMicrophoneOn) {
              attempt("microphone", session.switchDevice("microphone", change.microphoneId));
            }
          }}
        />
      )}
    </section>
  );
}

function Devices({
  view,
  choices,
  onChoose,
  onClose,
}: {
  view: CallView;
  choices: Choices;
  onChoose(change: Pick<Partial<Choices>, "cameraId" | "microphoneId">): void;
  onClose(): void;
}) {
  const devices = useDevices(view.own);
  return (
    <Dialog title={texts.devices} onClose={onClose}>
      {devices.length === 0 && <p className="text-ink-soft">{texts.noDevices}</p>}
      <DevicePickers devices={devices} choices={choices} onChoose={onChoose} />
    </Dialog>
  );
}

function Toggle({
  label,
  isOn,
  on,
  off,
  isBusy,
  onChange,
}: {
  label: string;
  isOn: boolean;
  on: ReactNode;
  off: ReactNode;
  isBusy?: boolean;
  onChange(isOn: boolean): void;
}) {
  return (
    <IconButton
      label={label}
      icon={isOn ? on : off}
      aria-pressed={isOn}
      aria-busy={isBusy || undefined}
      onClick={() => isBusy || onChange(!isOn)}
      className={
        isOn
          ? "size-11 border border-line bg-surface text-ink"
          : "size-11 bg-danger text-white hover:bg-danger-strong hover:text-white"
      }
    />
  );
}
