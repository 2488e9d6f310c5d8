import { useCallback, useEffect, useState } from "react";
import { useParams } from "react-router";
import { usePageTitle } from "../../app/page-focus.ts";
import { askToJoin, endCall, joinCall, useCall, useMyCalls } from "../../backend/calls.ts";
import { BackendError } from "../../backend/errors.ts";
import { type Mentorship, useMentorship } from "../../backend/people.ts";
import { useUserId } from "../../backend/session.ts";
import { openTransport } from "../../calls/open-transport.ts";
import { CallRefusal } from "../../calls/transport.ts";
import { Skeleton } from "../../design/skeleton.tsx";
import { ErrorState } from "../../design/states.tsx";
import { call as texts } from "../../texts/call.ts";
import { AfterCall } from "./after-call.tsx";
import { CallFrame } from "./call-frame.tsx";
import { CallSession } from "./call-session.ts";
import { type Choices, keepChoices, readChoices } from "./choices.ts";
import { agree } from "./consent.ts";
import { Lobby } from "./lobby.tsx";
import { Room } from "./room.tsx";
import { useCallRecording } from "./use-recording.ts";
import { useShowMyself, useWhoIsHere } from "./who-is-here.ts";

/** `/video-call/:mentorshipId` */
export default function CallPage() {
  const { mentorshipId } = useParams();
  const mentorship = useMentorship(mentorshipId);
  usePageTitle(texts.title(mentorship.data?.partner.name ?? ""));
  if (mentorship.data !== undefined) return <CallOf key={mentorship.data.id} mentorship={mentorship.data} />;
  return (
    <CallFrame title={texts.title("")}>
      <div className="mx-auto w-full max-w-3xl px-4 py-10">
        {mentorship.status === "loading" ? (
          <Skeleton className="aspect-video w-full rounded-card" />
        ) : (
          <ErrorState
            error={
              mentorship.status === "missing"
                ? new BackendError("mentorship_not_found", "There is no mentorship of yours with this id.")
                : mentorship.error
            }
            onRetry={mentorship.refetch}
          />
        )}
      </div>
    </CallFrame>
  );
}

/** Where this person stands: before, in, or after a stay in the call. */
type Stay =
  | { phase: "before"; trouble?: string }
  | { phase: "joining" | "in"; callId: string | undefined; session: CallSession }
  | { phase: "after"; callId: string | undefined; trouble?: string };

function CallOf({ mentorship }: { mentorship: Mentorship }) {
  const [stay, setStay] = useState<Stay>({ phase: "before" });
  // A stay that did not come about has used up the preview's tracks: the next try begins with fresh ones.
  const [failures, setFailures] = useState(0);
  const [choices, setChoices] = useState<Choices>(readChoices);
  const userId = useUserId();
  const calls = useMyCalls();
  const openCall = calls.data?.find((row) => row.mentorship_id === mentorship.id && row.status === "active");
  const callId = ("callId" in stay ? stay.callId : undefined) ?? openCall?.id;
  const { data: call } = useCall(callId);
  const recording = useCallRecording(call);
  const people = useWhoIsHere(callId);
  const isIn = stay.phase === "in";
  useShowMyself(callId, isIn, mentorship.me.name);
  const partnerIsHere = people?.some((person) => person.userId !== userId) ?? false;
  const isMeElsewhere = people?.some((person) => person.userId === userId) ?? false;

  const choose = useCallback((change: Partial<Choices>) => {
    setChoices((before) => {
      const next = { ...before, ...change };
      keepChoices(next);
      return next;
    });
  }, []);

  const join = useCallback(
    async (tracks: { camera?: MediaStreamTrack; microphone?: MediaStreamTrack }) => {
      let joined: string | undefined;
      const session = new CallSession({
        askToJoin: async () => {
          // A call that ended meanwhile is not joined again: join_call then gives the next one.
          joined ??= (await joinCall(mentorship.id)).id;
          return askToJoin(joined);
        },
        openTransport,
      });
      setStay({ phase: "joining", callId: undefined, session });
      // Whoever joins a call that is being recorded has read so beside the button.
      if (recording.view?.isLive && recording.view.recordingId !== undefined)
        agree(recording.view.recordingId);
      try {
        await session.join(mentorship.me.name, tracks);
        setStay({ phase: "in", callId: joined, session });
        // Whoever was quicker than their devices has them now. One that was refused has been told so before.
        if (choices.hasMicrophone && !tracks.microphone) {
          session.setMicrophone(true, choices.microphoneId).catch(() => undefined);
        }
        if (choices.hasCamera && !tracks.camera) {
          session.setCamera(true, choices.cameraId).catch(() => undefined);
        }
      } catch (error) {
        setStay({ phase: "before", trouble: codeOf(error) });
        setFailures((count) => count + 1);
      }
    },
    [mentorship, recording.view, choices],
  );

  const session = "session" in stay ? stay.session : undefined;
  // The transport may end the stay by itself, and so may the other person by ending the call.
  useEffect(() => {
    if (!isIn || session === undefined) return;
    const look = () => {
      const { state, trouble } = session.view();
      if (state === "closed")
        setStay({ phase: "after", callId, ...(trouble ? { trouble: trouble.code } : {}) });
    };
    look();
    return session.subscribe(look);
  }, [isIn, session, callId]);
  const hasEnded = call !== undefined && call.status !== "active";
  useEffect(() => {
    if (isIn && hasEnded) void session?.leave();
  }, [isIn, hasEnded, session]);
  // Another page of the portal: the stay ends with the page.
  useEffect(() => () => void session?.leave(), [session]);

  const leave = useCallback(() => {
    void session?.leave();
    // Whoever goes last ends the call, and with it its recording.
    if (callId !== undefined && people !== undefined && !partnerIsHere)
      endCall(callId).catch(() => undefined);
  }, [session, callId, people, partnerIsHere]);

  const frame = {
    title: texts.title(mentorship.partner.name),
    recordingsPath: `/video-call/${mentorship.id}/recordings`,
    recording,
  };
  if (stay.phase === "after") {
    return (
      <CallFrame {...frame}>
        <AfterCall
          mentorship={mentorship}
          trouble={stay.trouble}
          hasEnded={hasEnded}
          partnerIsHere={partnerIsHere}
          recording={recording}
          recordingsPath={frame.recordingsPath}
          onJoin={() => setStay({ phase: "before" })}
          onEnd={async () => {
            if (callId !== undefined) await endCall(callId);
          }}
        />
      </CallFrame>
    );
  }
  if (stay.phase === "in" && session !== undefined) {
    return (
      <CallFrame {...frame} session={session} isTight>
        <Room
          session={session}
          mentorship={mentorship}
          recording={recording}
          recordingsPath={frame.recordingsPath}
          partnerIsHere={partnerIsHere}
          userId={userId}
          choices={choices}
          onChoose={choose}
          onLeave={leave}
        />
      </CallFrame>
    );
  }
  return (
    <CallFrame {...frame}>
      <Lobby
        key={failures}
        mentorship={mentorship}
        choices={choices}
        onChoose={choose}
        isJoining={stay.phase === "joining"}
        trouble={stay.phase === "before" ? stay.trouble : undefined}
        partnerIsHere={partnerIsHere}
        isMeElsewhere={isMeElsewhere && stay.phase === "before"}
        recording={recording.view}
        onJoin={join}
      />
    </CallFrame>
  );
}

function codeOf(error: unknown): string {
  return error instanceof BackendError || error instanceof CallRefusal ? error.code : "unexpected_error";
}
