import type { Alert } from "../../backend/alerts.ts";
import { Card } from "../../design/card.tsx";
import { formatDateTime } from "../../design/format.ts";
import { alertTexts as texts } from "../../texts/alerts.ts";
import { SeverityPill } from "./severity-pill.tsx";

/** An alert that is over: what it was, and from when until when. */
export function RecoveredAlert({ alert }: { alert: Alert }) {
  return (
    <Card className="space-y-1.5 p-4">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
        <SeverityPill alert={alert} />
        <h3 className="font-semibold">{alert.message}</h3>
      </div>
      <p className="text-sm text-ink-soft">{alert.explanation}</p>
      <p className="text-xs text-ink-faint">
        {texts.wasFiring(formatDateTime(alert.fired_at), formatDateTime(alert.resolved_at ?? alert.fired_at))}
      </p>
    </Card>
  );
}
