import { OctagonAlert, TriangleAlert } from "lucide-react";
import type { Alert } from "../../backend/alerts.ts";
import { Pill } from "../../design/pill.tsx";
import { alertTexts as texts } from "../../texts/alerts.ts";

/** How bad it is: a sign and the word, and quiet where it is over. */
export function SeverityPill({ alert: { severity, state } }: { alert: Pick<Alert, "severity" | "state"> }) {
  const isCritical = severity === "critical";
  return (
    <Pill
      tone={state === "resolved" ? "neutral" : isCritical ? "bad" : "warn"}
      icon={isCritical ? <OctagonAlert aria-hidden="true" /> : <TriangleAlert aria-hidden="true" />}
    >
      {texts.severity[severity]}
    </Pill>
  );
}
