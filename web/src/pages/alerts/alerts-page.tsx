import { CircleCheck, CloudOff } from "lucide-react";
import { NotFound } from "../../app/not-found.tsx";
import { usePageTitle } from "../../app/page-focus.ts";
import { PageLoading } from "../../app/page-loading.tsx";
import { type Alert, useAlerts } from "../../backend/alerts.ts";
import { PageTitle, Section } from "../../design/card.tsx";
import { formatDateTime } from "../../design/format.ts";
import { EmptyState, ErrorState, Notice } from "../../design/states.tsx";
import { alertTexts as texts } from "../../texts/alerts.ts";
import { FiringAlert } from "./firing-alert.tsx";
import { RecoveredAlert } from "./recovered-alert.tsx";

/** What administrators must hear of. For everybody else there is no such page, and no word of what it would show. */
export default function AlertsPage() {
  const { data, status, error, oldSince, refetch } = useAlerts();
  if (status === "missing") return <NotFound />;
  // Nothing says what is being loaded, as long as nobody knows for whom.
  if (status === "loading") return <PageLoading />;
  if (data === undefined) return <ErrorState error={error} onRetry={refetch} />;
  return <Alerts alerts={data} oldSince={oldSince} />;
}

function Alerts({ alerts, oldSince }: { alerts: readonly Alert[]; oldSince: string | undefined }) {
  usePageTitle(texts.title);
  const firing = alerts.filter(({ state }) => state === "firing");
  const recovered = alerts.filter(({ state }) => state === "resolved");
  return (
    <div className="space-y-8">
      {/* The count only is announced, never what moves. */}
      <PageTitle title={texts.title}>
        <p role="status">{texts.count(firing.length)}</p>
      </PageTitle>
      {oldSince !== undefined && (
        <Notice tone="warn" icon={<CloudOff />}>
          {texts.old(formatDateTime(oldSince))}
        </Notice>
      )}
      {firing.length === 0 ? (
        <EmptyState icon={<CircleCheck />} title={texts.noneTitle}>
          {texts.noneText}
        </EmptyState>
      ) : (
        <Section title={texts.firing} id="firing">
          <ul className="space-y-3">
            {firing.map((alert) => (
              <li key={alert.id}>
                <FiringAlert alert={alert} />
              </li>
            ))}
          </ul>
        </Section>
      )}
      {recovered.length > 0 && (
        <Section title={texts.recovered} id="recovered">
          <ul className="space-y-3">
            {recovered.map((alert) => (
              <li key={alert.id}>
                <RecoveredAlert alert={alert} />
              </li>
            ))}
          </ul>
        </Section>
      )}
    </div>
  );
}
