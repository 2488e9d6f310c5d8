import { usePageTitle } from "../../app/page-focus.ts";
import { useMyCalls } from "../../backend/calls.ts";
import { useMentorships } from "../../backend/people.ts";
import { useRecentRecordings } from "../../backend/recordings.ts";
import { PageTitle } from "../../design/card.tsx";
import { useNow } from "../../design/time.tsx";
import { en } from "../../texts/en.ts";
import { attentionOf } from "./attention.ts";
import { AttentionSection } from "./attention-section.tsx";
import { MentorshipsSection } from "./mentorships-section.tsx";
import { OpenCallsSection } from "./open-calls-section.tsx";
import { PastCallsSection } from "./past-calls-section.tsx";

/** Where everybody begins: who I meet, what is open, what needs me, what was. */
export default function HomePage() {
  usePageTitle(en.home);
  const mentorships = useMentorships();
  const people = mentorships.data ?? [];
  const calls = useMyCalls();
  const recordings = useRecentRecordings(people.map(({ id }) => id));
  const now = useNow(60_000);

  const open = (calls.data ?? []).filter((call) => call.status === "active" && call.end_time === null);
  const attention = attentionOf(recordings.data ?? [], now);
  const me = people[0]?.me.name ?? "";
  return (
    <div className="space-y-9">
      <PageTitle title={en.homePage.greeting(me)}>
        {calls.status === "ready" && en.homePage.lead(open.length)}
      </PageTitle>
      <OpenCallsSection calls={open} people={people} />
      <AttentionSection attention={attention} people={people} />
      <MentorshipsSection mentorships={mentorships} open={open} />
      <PastCallsSection calls={calls} people={people} />
    </div>
  );
}
