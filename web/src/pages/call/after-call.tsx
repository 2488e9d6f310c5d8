import { Film, PhoneOff } from "lucide-react";
import { useState } from "react";
import { BackendError } from "../../backend/errors.ts";
import type { Mentorship } from "../../backend/people.ts";
import { Button, ButtonLink } from "../../design/button.tsx";
import { Card } from "../../design/card.tsx";
import { Notice } from "../../design/states.tsx";
import { call as texts } from "../../texts/call.ts";
import { troubleText } from "../../texts/call-troubles.ts";
import { RecordingNote } from "./recording-control.tsx";
import type { CallRecording } from "./use-recording.ts";

/** After a stay: what happened, what became of the recording, and where to go. */
export function AfterCall({
  mentorship,
  trouble,
  hasEnded,
  partnerIsHere,
  recording,
  recordingsPath,
  onJoin,
  onEnd,
}: {
  mentorship: Mentorship;
  trouble: string | undefined;
  hasEnded: boolean;
  partnerIsHere: boolean;
  recording: CallRecording;
  recordingsPath: string;
  onJoin(): void;
  onEnd(): Promise<void>;
}) {
  const [isEnding, setEnding] = useState(false);
  const [refusal, setRefusal] = useState<string>();
  const partner = texts.partner(mentorship.partner.name);
  // The call's own end comes to the transport as a refusal too.
  const told = hasEnded || trouble === "call_ended" ? undefined : trouble;
  const end = () => {
    setEnding(true);
    setRefusal(undefined);
    onEnd()
      .catch((error: unknown) => setRefusal(error instanceof BackendError ? error.code : "unexpected_error"))
      .finally(() => setEnding(false));
  };
  return (
    <div className="mx-auto flex w-full max-w-lg flex-1 flex-col justify-center gap-4 px-4 py-8">
      <Card className="flex flex-col items-center gap-5 p-8 text-center">
        <span
          aria-hidden="true"
          className="flex size-14 items-center justify-center rounded-full bg-accent-soft text-accent-ink"
        >
          <PhoneOff className="size-6" />
        </span>
        <div className="space-y-1.5" role="status">
          <h2 className="text-xl font-semibold">
            {told !== undefined ? texts.wasLost : hasEnded ? texts.callEnded : texts.left}
          </h2>
          <p className="text-ink-soft">
            {told !== undefined
              ? `${troubleText(told).sentence} ${troubleText(told).action}`
              : hasEnded
                ? texts.callEndedText
                : partnerIsHere && texts.leftText(partner)}
          </p>
        </div>
        <div className="flex w-full flex-col gap-2">
          <Button look="primary" size="large" onClick={onJoin}>
            {hasEnded ? texts.startNew : texts.joinAgain}
          </Button>
          <ButtonLink to={recordingsPath} size="large" icon={<Film aria-hidden="true" />}>
            {texts.recordings}
          </ButtonLink>
          {!hasEnded && partnerIsHere && (
            <Button look="quiet" onClick={end} isBusy={isEnding}>
              {texts.endForBoth}
            </Button>
          )}
          <ButtonLink to="/" look="quiet">
            {texts.backToOverview}
          </ButtonLink>
        </div>
      </Card>
      {refusal !== undefined && (
        <Notice tone="bad" isUrgent>
          {troubleText(refusal).sentence} {troubleText(refusal).action}
        </Notice>
      )}
      {recording.view !== undefined && (
        <RecordingNote
          view={recording.view}
          recordingsPath={recordingsPath}
          refusal={undefined}
          onDismiss={recording.dismiss}
        />
      )}
    </div>
  );
}
