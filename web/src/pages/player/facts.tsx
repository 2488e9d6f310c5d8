import type { RecordingCard } from "../../backend/recording-card.ts";
import { formatBytes, formatDate, formatDuration } from "../../design/format.ts";
import { StatusPill } from "../../design/pill.tsx";
import { playerTexts as texts } from "../../texts/player.ts";
import { recordingTexts } from "../../texts/recordings.ts";
import { qualityTexts } from "../../texts/status.ts";

/** What is known about a recording. */
export function Facts({ card }: { card: RecordingCard }) {
  const { requested_by: by } = card;
  const rows: [string, string][] = [];
  if (card.duration_ms !== null) rows.push([texts.length, formatDuration(card.duration_ms)]);
  if (card.size_bytes !== null) rows.push([texts.size, formatBytes(card.size_bytes)]);
  rows.push([texts.quality, qualityTexts[card.quality] ?? card.quality]);
  if (by !== null) rows.push([texts.recordedBy, by.is_me ? texts.you : (by.name ?? recordingTexts[by.role])]);
  if (card.is_held) rows.push([texts.kept, recordingTexts.held(card.hold_reason ?? "")]);
  else if (card.expires_at !== null && card.status !== "expired")
    rows.push([texts.kept, formatDate(card.expires_at)]);
  return (
    <section aria-labelledby="facts" className="space-y-4">
      <div className="flex items-center gap-3">
        <h2 id="facts" className="font-semibold">
          {texts.facts}
        </h2>
        <StatusPill status={card.status} />
      </div>
      <dl className="divide-y divide-line rounded-card border border-line bg-surface px-4 text-sm">
        {rows.map(([name, value]) => (
          <div key={name} className="flex justify-between gap-4 py-2.5">
            <dt className="text-ink-soft">{name}</dt>
            <dd className="text-right font-medium">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
