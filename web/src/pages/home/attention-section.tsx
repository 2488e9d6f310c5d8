import { ChevronRight, Clock, Hourglass, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import type { Mentorship } from "../../backend/people.ts";
import { Button } from "../../design/button.tsx";
import { Card, Section } from "../../design/card.tsx";
import { formatRelative } from "../../design/format.ts";
import { Pill } from "../../design/pill.tsx";
import { Ago } from "../../design/time.tsx";
import { en } from "../../texts/en.ts";
import { textOfError } from "../../texts/errors.ts";
import type { Attention } from "./attention.ts";
import { partnerName } from "./partner.ts";

const first = 3;

const marks = {
  expiring: { icon: <Clock />, ground: "bg-warn-soft text-warn" },
  failed: { icon: <TriangleAlert />, ground: "bg-bad-soft text-bad" },
  long_processing: { icon: <Hourglass />, ground: "bg-accent-soft text-accent-ink" },
};

/** What somebody should look at, each with its next step. Nothing, where all is well. */
export function AttentionSection({
  attention,
  people,
}: {
  attention: readonly Attention[];
  people: readonly Mentorship[];
}) {
  const [showsAll, showAll] = useState(false);
  if (attention.length === 0) return null;
  const shown = showsAll ? attention : attention.slice(0, first);
  return (
    <Section
      title={en.homePage.attention}
      id="attention"
      action={<Pill tone="warn">{attention.length}</Pill>}
    >
      <Card>
        <ul className="divide-y divide-line">
          {shown.map((one) => (
            <AttentionRow
              key={one.recording.id}
              one={one}
              name={partnerName(people, one.recording.mentorship_id)}
            />
          ))}
        </ul>
      </Card>
      {shown.length < attention.length && (
        <Button look="quiet" size="small" onClick={() => showAll(true)}>
          {en.homePage.showMore}
        </Button>
      )}
    </Section>
  );
}

function AttentionRow({ one: { recording, reason }, name }: { one: Attention; name: string }) {
  const mark = marks[reason];
  const error = textOfError(recording.error?.code ?? "unexpected_error");
  const said = {
    expiring: {
      title: en.homePage.expiring(name, formatRelative(recording.expires_at ?? "")),
      text: en.homePage.keepIt,
    },
    failed: { title: en.homePage.failed(name), text: `${error.sentence} ${error.action}` },
    long_processing: { title: en.homePage.longProcessing(name), text: en.homePage.longProcessingText },
  }[reason];
  return (
    <li className="relative flex items-center gap-4 p-4 first:rounded-t-card last:rounded-b-card hover:bg-sunken sm:px-5">
      <span
        aria-hidden="true"
        className={`flex size-10 shrink-0 items-center justify-center rounded-full [&_svg]:size-5 ${mark.ground}`}
      >
        {mark.icon}
      </span>
      <div className="min-w-0 flex-1">
        <p className="font-medium">
          <Link to={`/recordings/${recording.id}`} className="covers">
            {said.title}
          </Link>
        </p>
        <p className="text-sm text-ink-soft">{said.text}</p>
        <p className="mt-0.5 text-xs text-ink-faint">
          <Ago at={recording.requested_at} />
        </p>
      </div>
      <ChevronRight aria-hidden="true" className="size-5 shrink-0 text-ink-faint" />
    </li>
  );
}
