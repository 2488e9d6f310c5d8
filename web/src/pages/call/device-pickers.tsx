import type { Device } from "../../calls/transport.ts";
import { call as texts } from "../../texts/call.ts";
import type { DeviceKind } from "./call-session.ts";
import type { Choices } from "./choices.ts";
import { Choice } from "./recording-control.tsx";

/** Which camera and which microphone; nothing where there is no choice yet. */
export function DevicePickers({
  devices,
  choices,
  onChoose,
}: {
  devices: readonly Device[];
  choices: Pick<Choices, "cameraId" | "microphoneId">;
  onChoose(change: Pick<Partial<Choices>, "cameraId" | "microphoneId">): void;
}) {
  return (
    <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-1">
      <Picker
        kind="camera"
        devices={devices}
        value={choices.cameraId}
        onChange={(cameraId) => onChoose({ cameraId })}
      />
      <Picker
        kind="microphone"
        devices={devices}
        value={choices.microphoneId}
        onChange={(microphoneId) => onChoose({ microphoneId })}
      />
    </div>
  );
}

function Picker({
  kind,
  devices,
  value,
  onChange,
}: {
  kind: DeviceKind;
  devices: readonly Device[];
  value: string | undefined;
  onChange(deviceId: string): void;
}) {
  // Before the person has allowed one, they are there without ids and names.
  const known = devices.filter((device) => device.kind === kind && device.deviceId !== "");
  const [first] = known;
  if (first === undefined) return null;
  const unnamed = kind === "camera" ? texts.unnamedCamera : texts.unnamedMicrophone;
  const names = Object.fromEntries(
    known.map(({ deviceId, label }, index) => [deviceId, label || unnamed(index + 1)]),
  );
  return (
    <Choice
      label={kind === "camera" ? texts.chooseCamera : texts.chooseMicrophone}
      value={known.some(({ deviceId }) => deviceId === value) ? (value ?? first.deviceId) : first.deviceId}
      options={known.map(({ deviceId }) => deviceId)}
      names={names}
      onChange={onChange}
    />
  );
}
