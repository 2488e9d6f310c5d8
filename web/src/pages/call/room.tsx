import { TriangleAlert, Users, Volume2, WifiLow } from "lucide-react";
import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import type { Mentorship } from "../../backend/people.ts";
import { Avatar } from "../../design/avatar.tsx";
import { Button } from "../../design/button.tsx";
import { classes } from "../../design/class-names.ts";
import { Dialog } from "../../design/dialog.tsx";
import { Notice } from "../../design/states.tsx";
import { call as texts } from "../../texts/call.ts";
import { CallControls } from "./call-controls.tsx";
import type { CallSession, CallView, RemotePerson } from "./call-session.ts";
import type { Choices } from "./choices.ts";
import { agree, hasAgreed } from "./consent.ts";
import { Sound, Tile } from "./picture.tsx";
import { deviceSentence } from "./preview.ts";
import { RecordingNote } from "./recording-control.tsx";
import { useSpeakers } from "./speakers.ts";
import type { CallRecording } from "./use-recording.ts";

export interface RoomProps {
  session: CallSession;
  mentorship: Mentorship;
  recording: CallRecording;
  recordingsPath: string;
  partnerIsHere: boolean;
  userId: string | undefined;
  choices: Choices;
  onChoose(change: Partial<Choices>): void;
  onLeave(): void;
}

/** The call itself. */
export function Room(props: RoomProps) {
  const { session, mentorship, recording, userId, choices, onChoose, onLeave } = props;
  const view = useSyncExternalStore(session.subscribe, session.view);
  const [problem, setProblem] = useState<string>();
  const speakers = useSpeakers(session);
  const partner = texts.partner(mentorship.partner.name);

  const attempt = useCallback((kind: "camera" | "microphone" | "screen", work: Promise<void>) => {
    setProblem(undefined);
    work.catch((error: unknown) => {
      // Nobody has to be told that they have changed their mind about their screen.
      if (kind === "screen" && error instanceof Error && error.name === "NotAllowedError") return;
      setProblem(kind === "screen" ? texts.screenRefused : deviceSentence(kind, error));
    });
  }, []);

  return (
    <div className="flex min-h-0 flex-1 flex-col gap-3 p-3 sm:p-4">
      <div className="space-y-2 empty:hidden">
        <Hints
          view={view}
          session={session}
          problem={problem}
          isSpeakingMuted={isTalkingToNobody(view, speakers)}
        />
        {recording.view !== undefined && (
          <RecordingNote
            view={recording.view}
            recordingsPath={props.recordingsPath}
            refusal={recording.refusal}
            onDismiss={recording.dismiss}
          />
        )}
      </div>
      <Stage
        view={view}
        partnerIsHere={props.partnerIsHere}
        mentorship={mentorship}
        partner={partner}
        speakers={speakers}
        session={session}
      />
      <div className="flex flex-wrap items-center justify-center gap-x-4 gap-y-2">
        <WhoIsHere mentorship={mentorship} partnerIsHere={props.partnerIsHere || view.people.length > 0} />
        <CallControls
          session={session}
          view={view}
          recording={recording}
          choices={choices}
          onChoose={onChoose}
          attempt={attempt}
          onLeave={onLeave}
        />
      </div>
      <Consent recording={recording} partner={partner} userId={userId} onLeave={onLeave} />
    </div>
  );
}

const isTalkingToNobody = (view: CallView, speakers: ReadonlySet<number>): boolean =>
  view.uid !== undefined && !view.own.isMicrophoneOn && speakers.has(view.uid);

function Hints({
  view,
  session,
  problem,
  isSpeakingMuted,
}: {
  view: CallView;
  session: CallSession;
  problem: string | undefined;
  isSpeakingMuted: boolean;
}) {
  return (
    <>
      {view.state === "reconnecting" && (
        <Notice tone="warn" icon={<WifiLow />}>
          {texts.reconnecting}
        </Notice>
      )}
      {view.isSoundBlocked && (
        <Notice
          tone="accent"
          isUrgent
          icon={<Volume2 />}
          action={
            <Button look="primary" size="small" onClick={() => void session.hear()}>
              {texts.hear}
            </Button>
          }
        >
          {texts.soundBlocked}
        </Notice>
      )}
      {view.quality !== undefined && view.quality.level !== "good" && view.state === "connected" && (
        <Notice tone="warn" icon={<WifiLow />}>
          {texts.quality[view.quality.direction][view.quality.level]}
        </Notice>
      )}
      {view.own.screen !== undefined && (
        <Notice
          tone="accent"
          action={
            <Button size="small" onClick={() => void session.stopSharing()}>
              {texts.stopSharing}
            </Button>
          }
        >
          {texts.yourScreen} {view.screenReplacesCamera && texts.screenReplacesCamera}
        </Notice>
      )}
      {problem !== undefined && (
        <Notice tone="warn" isUrgent icon={<TriangleAlert />}>
          {problem}
        </Notice>
      )}
      {isSpeakingMuted && <Notice tone="warn">{texts.mutedButSpeaking}</Notice>}
    </>
  );
}

function Stage({
  view,
  partnerIsHere,
  mentorship,
  partner,
  speakers,
  session,
}: {
  view: CallView;
  /** They say so; their picture may not have come yet. */
  partnerIsHere: boolean;
  mentorship: Mentorship;
  partner: string;
  speakers: ReadonlySet<number>;
  session: CallSession;
}) {
  const isReconnecting = view.state === "reconnecting";
  const screens = view.people.filter((person) => person.screen !== undefined);
  // Two people: names that the transport does not carry are known from the mentorship.
  const nameOf = (person: RemotePerson) => person.name || partner;
  const isAlone = view.people.length === 0;
  const count = view.people.length + screens.length + (isAlone ? 0 : 1);
  return (
    <div
      className={classes(
        "relative grid min-h-0 flex-1 auto-rows-fr gap-3",
        count > 1 && "sm:grid-cols-2",
        count > 4 && "lg:grid-cols-3",
      )}
    >
      {screens.map((person) => (
        <Tile
          key={`${person.uid} screen`}
          name={texts.screenOf(nameOf(person))}
          track={person.screen}
          videoLabel={texts.screenOf(nameOf(person))}
          isWhole
          isDimmed={isReconnecting}
        />
      ))}
      {view.people.map((person) => (
        <Tile
          key={person.uid}
          name={nameOf(person)}
          track={person.camera}
          videoLabel={texts.pictureOf(nameOf(person))}
          isMuted={person.isMuted}
          isSpeaking={speakers.has(person.uid)}
          isDimmed={isReconnecting}
        />
      ))}
      {isAlone && (
        <div className="flex min-h-0 flex-col items-center justify-center gap-3 overflow-hidden rounded-card border border-dashed border-line p-6 text-center">
          <Avatar name={partner} className="size-16 text-xl opacity-70" />
          <p className="font-semibold">
            {partnerIsHere ? texts.someoneIsIn(partner) : texts.waitingFor(partner)}
          </p>
          <p className="text-ink-soft">{partnerIsHere ? texts.pictureComes : texts.waitingHint}</p>
        </div>
      )}
      <Tile
        name={mentorship.me.name || texts.you}
        note={`(${texts.youNote})`}
        track={view.own.camera}
        videoLabel={texts.preview}
        isMirrored
        isMuted={!view.own.isMicrophoneOn}
        isSpeaking={view.uid !== undefined && view.own.isMicrophoneOn && speakers.has(view.uid)}
        {...(isAlone
          ? { className: "absolute right-3 bottom-3 h-28 w-44 shadow-raised sm:h-36 sm:w-60" }
          : {})}
      />
      {!view.playsSound &&
        view.people.map(
          ({ uid, sound }) =>
            sound !== undefined && (
              <Sound
                key={uid}
                track={sound}
                again={view.isSoundBlocked}
                onBlocked={() => session.soundWasBlocked()}
              />
            ),
        )}
    </div>
  );
}

function WhoIsHere({ mentorship, partnerIsHere }: { mentorship: Mentorship; partnerIsHere: boolean }) {
  const people = [
    { name: mentorship.me.name || texts.you, isHere: true },
    { name: texts.partner(mentorship.partner.name), isHere: partnerIsHere },
  ];
  return (
    <section aria-label={texts.people} className="flex items-center gap-2 text-sm text-ink-soft sm:mr-auto">
      <Users aria-hidden="true" className="size-4" />
      <ul className="flex gap-3">
        {people.map(({ name, isHere }) => (
          <li key={name} className="flex items-center gap-1.5">
            <span
              aria-hidden="true"
              className={classes("size-2 rounded-full", isHere ? "bg-good" : "border border-line-strong")}
            />
            {name}
            <span className="sr-only">: {isHere ? texts.isHere : texts.isNotHere}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Asks whoever did not press record whether they stay. Not before it is known who pressed. */
function Consent({
  recording,
  partner,
  userId,
  onLeave,
}: {
  recording: CallRecording;
  partner: string;
  userId: string | undefined;
  onLeave(): void;
}) {
  const [answered, setAnswered] = useState<string>();
  const { view, requestedBy } = recording;
  const id = view?.recordingId;
  const isLive = view?.stage === "starting" || view?.stage === "queued" || view?.stage === "recording";
  const isMine = requestedBy !== undefined && requestedBy === userId;
  useEffect(() => {
    if (isMine && id !== undefined) agree(id);
  }, [isMine, id]);
  if (id === undefined || !isLive || requestedBy === undefined || isMine) return null;
  if (answered === id || hasAgreed(id)) return null;
  return (
    <Dialog
      role="alertdialog"
      title={texts.consentTitle}
      actions={
        <>
          <Button onClick={onLeave}>{texts.leave}</Button>
          <Button
            look="primary"
            autoFocus
            onClick={() => {
              agree(id);
              setAnswered(id);
            }}
          >
            {texts.consentStay}
          </Button>
        </>
      }
    >
      <p className="text-ink-soft">{texts.consentText(partner)}</p>
    </Dialog>
  );
}
