import { Video } from "lucide-react";
import type { Call } from "../../backend/calls.ts";
import type { Mentorship } from "../../backend/people.ts";
import { Avatar } from "../../design/avatar.tsx";
import { ButtonLink } from "../../design/button.tsx";
import { Card, Section } from "../../design/card.tsx";
import { StatusPill } from "../../design/pill.tsx";
import { Ago } from "../../design/time.tsx";
import { en } from "../../texts/en.ts";
import { partnerName } from "./partner.ts";

/** Calls that are open now, with the way in. Nothing, where none is: the mentorships below start one. */
export function OpenCallsSection({
  calls,
  people,
}: {
  calls: readonly Call[];
  people: readonly Mentorship[];
}) {
  const active = calls.filter((call) =>
    people.some(({ id, status }) => id === call.mentorship_id && status === "active"),
  );
  if (active.length === 0) return null;
  return (
    <Section title={en.homePage.openCalls} id="open-calls">
      <ul className="space-y-3">
        {active.map((call) => {
          const name = partnerName(people, call.mentorship_id);
          return (
            <li key={call.id}>
              <Card tone="accent" className="flex flex-wrap items-center gap-4 p-4 sm:p-5">
                <Avatar name={name} className="size-12" />
                <div className="min-w-0 flex-1 basis-40">
                  <p className="font-semibold">{en.homePage.with(name)}</p>
                  <p className="flex flex-wrap items-center gap-x-2 gap-y-1 text-sm text-ink-soft">
                    <Ago at={call.start_time} />
                    {call.recording_status !== null && call.recording_status !== "not_recorded" && (
                      <StatusPill status={call.recording_status} />
                    )}
                  </p>
                </div>
                <ButtonLink
                  to={`/video-call/${call.mentorship_id}`}
                  look="primary"
                  size="large"
                  icon={<Video />}
                  className="max-sm:w-full"
                  label={en.homePage.joinWith(name)}
                >
                  {en.homePage.join}
                </ButtonLink>
              </Card>
            </li>
          );
        })}
      </ul>
    </Section>
  );
}
