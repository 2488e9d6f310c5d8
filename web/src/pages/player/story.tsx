import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { fetchStory } from "../../backend/playback.ts";
import { Button } from "../../design/button.tsx";
import { classes } from "../../design/class-names.ts";
import { formatDateTime } from "../../design/format.ts";
import { LoadingRows } from "../../design/skeleton.tsx";
import { Notice } from "../../design/states.tsx";
import { en } from "../../texts/en.ts";
import { textOfError } from "../../texts/errors.ts";
import { playerTexts as texts } from "../../texts/player.ts";
import { type TimelineEntry, timelineOf } from "./timeline.ts";

const dots = { neutral: "bg-ink-faint", good: "bg-good", warning: "bg-warn", bad: "bg-bad" };

/** What happened to a recording, in order. `version` is the recording's: with it the story has grown. */
export function Story({ recordingId, version }: { recordingId: string; version: number }) {
  const story = useQuery({ queryKey: ["story", recordingId], queryFn: () => fetchStory(recordingId) });
  const { refetch } = story;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the version is the reason to ask again.
  useEffect(() => {
    void refetch();
  }, [version, refetch]);
  const entries = story.data === undefined ? undefined : timelineOf(story.data);
  return (
    <section aria-labelledby="story" className="space-y-4">
      <h2 id="story" className="font-semibold">
        {texts.timelineTitle}
      </h2>
      {entries === undefined && story.isError && (
        <Notice
          action={
            <Button size="small" onClick={() => void refetch()}>
              {en.tryAgain}
            </Button>
          }
        >
          {texts.timelineFailed}
        </Notice>
      )}
      {entries === undefined && !story.isError && <LoadingRows label={texts.timelineTitle} className="h-6" />}
      {entries !== undefined && (
        <ol className="relative space-y-4 border-l border-line pl-5">
          {entries.map((entry) => (
            <li key={entry.id} className="relative">
              <span
                aria-hidden="true"
                className={classes(
                  "absolute -left-[1.6rem] top-1.5 size-2.5 rounded-full ring-4 ring-ground",
                  dots[entry.tone],
                )}
              />
              <p className="text-sm">{wordsOf(entry)}</p>
              <time className="text-xs text-ink-faint" dateTime={new Date(entry.at).toISOString()}>
                {formatDateTime(new Date(entry.at).toISOString())}
              </time>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function wordsOf(entry: TimelineEntry): string {
  const words = texts.timeline[entry.kind];
  const by = entry.by === undefined ? undefined : texts.by[entry.by];
  if (entry.kind === "failed" && entry.reason !== undefined)
    return `${words}: ${textOfError(entry.reason).sentence}`;
  const why = entry.reason === undefined ? undefined : texts.stopReasons[entry.reason];
  return [words, why === undefined ? by : `(${why})`].filter(Boolean).join(" ");
}
