import { Film, UsersRound, Video } from "lucide-react";
import type { Call } from "../../backend/calls.ts";
import type { Loaded, Mentorship } from "../../backend/people.ts";
import { Avatar } from "../../design/avatar.tsx";
import { ButtonLink } from "../../design/button.tsx";
import { Card, Section } from "../../design/card.tsx";
import { formatDate } from "../../design/format.ts";
import { Pill } from "../../design/pill.tsx";
import { LoadingRows } from "../../design/skeleton.tsx";
import { EmptyState, ErrorState } from "../../design/states.tsx";
import { en } from "../../texts/en.ts";

/** Everybody I meet, with the way into a call and to what was recorded. */
export function MentorshipsSection({
  mentorships,
  open,
}: {
  mentorships: Loaded<Mentorship[]>;
  open: readonly Call[];
}) {
  return (
    <Section title={en.homePage.people} id="mentorships">
      <Mentorships mentorships={mentorships} open={open} />
    </Section>
  );
}

function Mentorships({
  mentorships: { data, status, error, refetch },
  open,
}: {
  mentorships: Loaded<Mentorship[]>;
  open: readonly Call[];
}) {
  if (status === "loading")
    return <LoadingRows label={en.homePage.loadingPeople} count={2} className="h-28" />;
  if (data === undefined) return <ErrorState error={error} onRetry={refetch} />;
  if (data.length === 0) {
    return (
      <EmptyState icon={<UsersRound />} title={en.homePage.noMentorships}>
        {en.homePage.noMentorshipsText}
      </EmptyState>
    );
  }
  const isOver = (one: Mentorship) => (one.status === "active" ? 0 : 1);
  const sorted = data.toSorted(
    (a, b) => isOver(a) - isOver(b) || a.partner.name.localeCompare(b.partner.name),
  );
  return (
    <ul className="grid gap-3 sm:grid-cols-2">
      {sorted.map((one) => (
        <li key={one.id}>
          <MentorshipCard one={one} isOpen={open.some((call) => call.mentorship_id === one.id)} />
        </li>
      ))}
    </ul>
  );
}

function MentorshipCard({ one, isOpen }: { one: Mentorship; isOpen: boolean }) {
  const name = one.partner.name === "" ? en.unnamed : one.partner.name;
  const isActive = one.status === "active";
  return (
    <Card className="flex h-full flex-col gap-4 p-4 sm:p-5">
      <div className="flex items-center gap-3">
        <Avatar name={name} className="size-11" />
        <div className="min-w-0 flex-1">
          <h3 className="truncate font-semibold">{name}</h3>
          <p className="text-sm text-ink-soft">
            {one.myRole === "mentor" ? en.homePage.myMentee : en.homePage.myMentor}
          </p>
        </div>
        {!isActive && (
          <Pill>
            {one.endedAt === undefined ? en.homePage.over : en.homePage.overSince(formatDate(one.endedAt))}
          </Pill>
        )}
      </div>
      <div className="mt-auto flex gap-2">
        {isActive && (
          <ButtonLink
            to={`/video-call/${one.id}`}
            look={isOpen ? "primary" : "secondary"}
            icon={<Video />}
            className="flex-1"
            label={isOpen ? en.homePage.joinWith(name) : en.homePage.startWith(name)}
          >
            {isOpen ? en.homePage.joinShort : en.homePage.start}
          </ButtonLink>
        )}
        <ButtonLink
          to={`/video-call/${one.id}/recordings`}
          icon={<Film />}
          className="flex-1"
          label={en.homePage.recordingsWith(name)}
        >
          {en.homePage.recordings}
        </ButtonLink>
      </div>
    </Card>
  );
}
