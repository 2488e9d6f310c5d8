import { ChevronRight, History } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import type { Call, Live } from "../../backend/calls.ts";
import type { Mentorship } from "../../backend/people.ts";
import { Avatar } from "../../design/avatar.tsx";
import { Button } from "../../design/button.tsx";
import { Card, Section } from "../../design/card.tsx";
import { formatDateTime, formatDuration } from "../../design/format.ts";
import { Pill, StatusPill } from "../../design/pill.tsx";
import { LoadingRows } from "../../design/skeleton.tsx";
import { EmptyState, ErrorState } from "../../design/states.tsx";
import { en } from "../../texts/en.ts";
import { statusTexts } from "../../texts/status.ts";
import { partnerName } from "./partner.ts";

const step = 8;

/** What was: the last calls, each with the way to its recording. */
export function PastCallsSection({ calls, people }: { calls: Live<Call[]>; people: readonly Mentorship[] }) {
  return (
    <Section title={en.homePage.pastCalls} id="past-calls">
      <PastCalls calls={calls} people={people} />
    </Section>
  );
}

function PastCalls({
  calls: { data, status, error, refetch },
  people,
}: {
  calls: Live<Call[]>;
  people: readonly Mentorship[];
}) {
  const [count, setCount] = useState(step);
  if (status === "loading")
    return <LoadingRows label={en.homePage.loadingCalls} count={4} className="h-16" />;
  if (data === undefined) return <ErrorState error={error} onRetry={refetch} />;
  const past = data.filter((call) => call.status !== "active" || call.end_time !== null);
  if (past.length === 0) {
    return (
      <EmptyState icon={<History />} title={en.homePage.noCalls}>
        {en.homePage.noCallsText}
      </EmptyState>
    );
  }
  return (
    <>
      <Card>
        <ul className="divide-y divide-line">
          {past.slice(0, count).map((call) => (
            <PastCall key={call.id} call={call} name={partnerName(people, call.mentorship_id)} />
          ))}
        </ul>
      </Card>
      {past.length > count && (
        <Button look="quiet" size="small" onClick={() => setCount(count + step)}>
          {en.homePage.showMore}
        </Button>
      )}
    </>
  );
}

function PastCall({ call, name }: { call: Call; name: string }) {
  const length =
    call.duration_seconds === null ? en.homePage.noLength : formatDuration(call.duration_seconds * 1000);
  const when = formatDateTime(call.start_time);
  const text = <span className="font-medium">{name}</span>;
  const way = call.recording_url === null ? en.homePage.recordingFrom : en.homePage.watchFrom;
  return (
    <li className="relative grid grid-cols-[auto_1fr_auto] items-center gap-x-3 p-4 first:rounded-t-card last:rounded-b-card has-[a]:hover:bg-sunken sm:grid-cols-[auto_1fr_auto_auto] sm:px-5">
      <Avatar name={name} className="row-span-2 size-10 text-sm" />
      <p className="min-w-0 truncate">
        {call.recording_id === null ? (
          text
        ) : (
          <Link to={`/recordings/${call.recording_id}`} aria-label={way(name, when)} className="covers">
            {text}
          </Link>
        )}
      </p>
      <div className="flex sm:row-span-2">
        {call.status === "failed" ? (
          <Pill tone="bad">{en.homePage.callFailed}</Pill>
        ) : call.recording_status === null || call.recording_status === "not_recorded" ? (
          <Pill>{statusTexts.not_recorded}</Pill>
        ) : (
          <StatusPill status={call.recording_status} />
        )}
      </div>
      <ChevronRight
        aria-hidden="true"
        className={`row-span-2 size-5 shrink-0 text-ink-faint ${call.recording_id === null ? "invisible" : ""} max-sm:hidden`}
      />
      <p className="col-start-2 text-sm text-ink-soft max-sm:col-span-2">
        <time dateTime={call.start_time}>{when}</time> · {length}
      </p>
    </li>
  );
}
