import { Circle, SlidersHorizontal, Square, X } from "lucide-react";
import { useEffect, useId, useRef, useState } from "react";
import { Button, ButtonLink, IconButton } from "../../design/button.tsx";
import { Notice } from "../../design/states.tsx";
import { call as texts } from "../../texts/call.ts";
import { en } from "../../texts/en.ts";
import { textOfError } from "../../texts/errors.ts";
import { layoutTexts, qualityTexts } from "../../texts/status.ts";
import { type Choices, layouts, qualities } from "./choices.ts";
import type { RecordingView } from "./recording-view.ts";

export interface RecordingControlProps {
  view: RecordingView;
  choices: Pick<Choices, "quality" | "layout">;
  onChoose(chosen: Pick<Choices, "quality" | "layout">): void;
  onStart(): void;
  onStop(): void;
}

/** The one button of the recording, and what the next recording shall be like. */
export function RecordingControl({ view, choices, onChoose, onStart, onStop }: RecordingControlProps) {
  return (
    <div className="flex items-center gap-1">
      <RecordingButton view={view} onStart={onStart} onStop={onStop} />
      {view.button === "start" && <RecordingOptions choices={choices} onChoose={onChoose} />}
    </div>
  );
}

function RecordingButton({
  view,
  onStart,
  onStop,
}: Pick<RecordingControlProps, "view" | "onStart" | "onStop">) {
  const round = "min-h-11";
  if (view.wish === "starting") {
    return (
      <Button isBusy className={round}>
        {texts.indicator.starting}
      </Button>
    );
  }
  if (view.button === undefined) {
    return (
      <Button isBusy className={round}>
        {texts.indicator.stopping}
      </Button>
    );
  }
  if (view.button === "start") {
    return (
      <Button className={round} icon={<Circle className="fill-live text-live" />} onClick={onStart}>
        {texts.record}
      </Button>
    );
  }
  const isCancel = view.button === "cancel";
  return (
    <Button className={round} icon={isCancel ? <X /> : <Square className="fill-current" />} onClick={onStop}>
      {isCancel ? texts.cancel : texts.stop}
    </Button>
  );
}

function RecordingOptions({ choices, onChoose }: Pick<RecordingControlProps, "choices" | "onChoose">) {
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const around = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!isOpen) return;
    const close = (event: Event) => {
      if (event instanceof KeyboardEvent && event.key !== "Escape") return;
      if (
        event instanceof PointerEvent &&
        event.target instanceof Node &&
        around.current?.contains(event.target)
      )
        return;
      setOpen(false);
    };
    document.addEventListener("pointerdown", close);
    document.addEventListener("keydown", close);
    return () => {
      document.removeEventListener("pointerdown", close);
      document.removeEventListener("keydown", close);
    };
  }, [isOpen]);
  return (
    <div ref={around} className="relative">
      <IconButton
        label={texts.recordingOptions}
        icon={<SlidersHorizontal />}
        className="size-11"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setOpen(!isOpen)}
      />
      {isOpen && (
        <section
          id={id}
          aria-label={texts.recordingOptions}
          className="absolute bottom-full right-0 z-20 mb-2 w-64 animate-appear space-y-3 rounded-card border border-line bg-raised p-4 shadow-raised"
        >
          <Choice
            label={texts.qualityLabel}
            value={choices.quality}
            options={qualities}
            names={qualityTexts}
            onChange={(quality) => onChoose({ ...choices, quality })}
          />
          <Choice
            label={texts.layoutLabel}
            value={choices.layout}
            options={layouts}
            names={layoutTexts}
            onChange={(layout) => onChoose({ ...choices, layout })}
          />
          <p className="text-sm text-ink-soft">{texts.optionsApply}</p>
        </section>
      )}
    </div>
  );
}

export function Choice<Value extends string>({
  label,
  value,
  options,
  names,
  onChange,
}: {
  label: string;
  value: Value;
  options: readonly Value[];
  names: Readonly<Record<string, string>>;
  onChange(value: Value): void;
}) {
  const id = useId();
  return (
    <div className="space-y-1">
      <label htmlFor={id} className="block text-sm font-medium">
        {label}
      </label>
      <select
        id={id}
        value={value}
        onChange={({ target }) => {
          const chosen = options.find((option) => option === target.value);
          if (chosen !== undefined) onChange(chosen);
        }}
        className="block min-h-10 w-full truncate rounded-control border border-line-strong bg-surface px-2.5 text-sm"
      >
        {options.map((option) => (
          <option key={option} value={option}>
            {names[option] ?? option}
          </option>
        ))}
      </select>
    </div>
  );
}

/** What became of the last recording: one sentence, one next step. Silent: RecordingStatus announces it. */
export function RecordingNote({
  view,
  recordingsPath,
  refusal,
  onDismiss,
}: {
  view: RecordingView;
  recordingsPath: string;
  /** Code of a wish that was refused. */
  refusal: string | undefined;
  onDismiss(): void;
}) {
  if (refusal !== undefined) {
    const { sentence, action } = textOfError(refusal);
    return (
      <Notice
        tone="bad"
        isUrgent
        action={<IconButton label={en.close} icon={<X />} className="-my-1 size-8" onClick={onDismiss} />}
      >
        <strong className="font-semibold">{sentence}</strong> {action}
      </Notice>
    );
  }
  if (view.stage === "failed" && view.error !== undefined) {
    const { sentence, action } = textOfError(view.error.code);
    return (
      <Notice tone="bad" action={<SmallLink to={recordingsPath} text={texts.recordings} />}>
        <strong className="font-semibold">{texts.note.failed}</strong> {sentence} {action}
      </Notice>
    );
  }
  if (view.stage === "processing") {
    const { percent } = view;
    return (
      <Notice tone="accent" action={<SmallLink to={recordingsPath} text={texts.recordings} />}>
        {percent === undefined ? texts.note.processing : texts.note.transferring(Math.floor(percent))}
      </Notice>
    );
  }
  if (view.stage === "recorded" && view.recordingId !== undefined) {
    return (
      <Notice
        tone="good"
        action={
          <span className="flex gap-2">
            <SmallLink to={`/recordings/${view.recordingId}`} text={texts.note.watch} />
            <SmallLink to={recordingsPath} text={texts.recordings} />
          </span>
        }
      >
        {texts.note.recorded}
      </Notice>
    );
  }
  return null;
}

function SmallLink({ to, text }: { to: string; text: string }) {
  return (
    <ButtonLink to={to} size="small">
      {text}
    </ButtonLink>
  );
}
