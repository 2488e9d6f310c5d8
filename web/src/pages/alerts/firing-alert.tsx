import type { Alert } from "../../backend/alerts.ts";
import { Card } from "../../design/card.tsx";
import { Ago } from "../../design/time.tsx";
import { runbooks, alertTexts as texts } from "../../texts/alerts.ts";
import { SeverityPill } from "./severity-pill.tsx";

/** An alert that fires: how bad, since when, with which figures, what it means and what to do. */
export function FiringAlert({ alert }: { alert: Alert }) {
  // A database that is newer than this page may know a rule that this page does not: then there is the runbook.
  const runbook = Object.hasOwn(runbooks, alert.runbook) ? runbooks[alert.runbook] : undefined;
  return (
    <Card className="space-y-4 p-4 sm:p-5">
      <div className="space-y-1.5">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
          <SeverityPill alert={alert} />
          <p className="text-sm text-ink-soft">
            {texts.since} <Ago at={alert.fired_at} />
          </p>
        </div>
        <h3 className="text-lg font-semibold">{alert.message}</h3>
        <p>{alert.explanation}</p>
      </div>
      {runbook !== undefined && (
        <dl className="space-y-3 text-sm">
          <div>
            <dt className="font-medium">{texts.meaning}</dt>
            <dd className="text-ink-soft">{runbook.meaning}</dd>
          </div>
          <div>
            <dt className="font-medium">{texts.action}</dt>
            <dd className="space-y-2 text-ink-soft">
              <p>{runbook.action}</p>
              {runbook.commands.map((command) => (
                <pre key={command} className="rounded-control bg-sunken px-3 py-2 whitespace-pre-wrap">
                  <code className="text-ink">{command}</code>
                </pre>
              ))}
            </dd>
          </div>
        </dl>
      )}
      <p className="text-xs text-ink-faint">{texts.more(`docs/operations.md${alert.runbook}`)}</p>
    </Card>
  );
}
