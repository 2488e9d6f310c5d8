import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import type { RecordingCard } from "../../backend/recording-card.ts";
import { recordingTexts as texts } from "../../texts/recordings.ts";
import { RecordingRow } from "./recording-row.tsx";

/** A row before it was measured, px; near enough that the scroll bar hardly jumps. */
const ESTIMATED_ROW = 148;
const GAP = 12;
/** Rows from the end at which the next page is asked for. */
const AHEAD = 30;

/** The list itself: only the rows in sight are in the document, however many there are. */
export function VirtualRows({
  cards,
  total,
  now,
  onNearEnd,
}: {
  cards: readonly RecordingCard[];
  /** How many there are in all, also those not loaded yet. */
  total: number | undefined;
  now: number;
  onNearEnd: () => void;
}) {
  const list = useRef<HTMLUListElement>(null);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    const measure = () => setTop((list.current?.getBoundingClientRect().top ?? 0) + window.scrollY);
    measure();
    // What stands above may grow: filters wrap, a notice appears.
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, []);
  const rows = useWindowVirtualizer({
    count: cards.length,
    estimateSize: () => ESTIMATED_ROW,
    gap: GAP,
    overscan: 6,
    scrollMargin: top,
    getItemKey: (index) => cards[index]?.id ?? index,
  });
  const shown = rows.getVirtualItems();
  const lastShown = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (lastShown >= cards.length - AHEAD) onNearEnd();
  }, [lastShown, cards.length, onNearEnd]);

  return (
    <ul ref={list} aria-label={texts.listLabel} className="relative" style={{ height: rows.getTotalSize() }}>
      {shown.map((row) => {
        const card = cards[row.index];
        if (card === undefined) return null;
        return (
          <li
            key={row.key}
            data-index={row.index}
            ref={rows.measureElement}
            aria-setsize={total ?? -1}
            aria-posinset={row.index + 1}
            className="absolute inset-x-0 top-0"
            style={{ transform: `translateY(${row.start - top}px)` }}
          >
            <RecordingRow card={card} now={now} />
          </li>
        );
      })}
    </ul>
  );
}
