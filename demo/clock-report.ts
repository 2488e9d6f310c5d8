import { type Agreement, agreementOf, agreementOfBeeps } from "../local/browser/clock-agreement.ts";
import type { ClockOrder } from "../local/browser/pages/clock-media.ts";
import type { PlayedBack } from "../local/browser/pages/play-page.ts";
import {
  type ClockCell,
  clockOf,
  durationOf,
  findBeeps,
  pointsOf,
  type ReadClock,
  readClocks,
} from "../local/browser/recorded-clock.ts";

/** How far what was recorded may be from what was shown, ms. */
export const targets = { clock: 150, sync: 80, duration: 100 } as const;
/** The clocks must be readable in this share of the pictures, and so many of the beeps be heard. */
const leastShare = 0.8;
/** A recording begins with the next whole picture of each camera, ms. */
const settledMs = 1_500;

export interface PersonReport {
  name: string;
  /** The recorded picture's clock beside the wall's: in the file, and as a page showed it. */
  picture: Agreement;
  shown: Agreement;
  /** Recorded beeps beside the wall's seconds. */
  sound: Agreement;
  /** Sound beside picture, ms. */
  sync: number;
  /** How many beeps the page that played it heard. */
  heard: number;
}

export interface ClockReport {
  people: PersonReport[];
  /** Length of the file and of what was played, less what the engine recorded, ms. */
  durationMs: { file: number; played: number };
  playback: { pictures: number; stalls: number; troubles: string[] };
  problems: string[];
}

export interface ClockEvidence {
  mp4: Uint8Array;
  cells: ClockCell[];
  people: readonly Pick<ClockOrder, "pitch" | "beepAtMs">[];
  names: readonly string[];
  played: PlayedBack;
  /** The engine's own start (UTC ms) and length (ms). */
  startedAt: number;
  recordedMs: number;
}

/** Compares the clocks and beeps of a recording, in its file and as a page played it, with the wall's clock. */
export async function compareClocks(evidence: ClockEvidence): Promise<ClockReport> {
  const { mp4, cells, people, names, played, startedAt, recordedMs } = evidence;
  const inFile = await readClocks(mp4, startedAt, () => cells);
  const onPage = clocksOnPage(played, cells, startedAt);
  const beeps = await findBeeps(
    mp4,
    people.map(({ pitch }) => pitch),
  );
  const problems: string[] = [];
  if (played.endedAtMs < played.durationMs - targets.duration) {
    problems.push(`the player ended at ${round(played.endedAtMs)} of ${round(played.durationMs)} ms`);
  }
  const reports = people.map(({ beepAtMs }, index): PersonReport => {
    const name = names[index] ?? String(index);
    const picture = agreementOf(settled(inFile, index), startedAt);
    const sound = agreementOfBeeps(beeps[index] ?? [], startedAt, beepAtMs);
    const readable = settled(inFile, index).filter(({ wallMs }) => wallMs !== null).length;
    if (readable < leastShare * settled(inFile, index).length) {
      problems.push(
        `${name}'s clock can be read in ${readable} of ${settled(inFile, index).length} pictures`,
      );
    }
    return {
      name,
      picture,
      shown: agreementOf(settled(onPage, index), startedAt),
      sound,
      sync: sound.median - picture.median,
      heard: played.beeps[index]?.length ?? 0,
    };
  });
  const report: ClockReport = {
    people: reports,
    durationMs: { file: (await durationOf(mp4)) - recordedMs, played: played.durationMs - recordedMs },
    playback: { pictures: played.pictures.length, stalls: played.stalls, troubles: played.troubles },
    problems,
  };
  problems.push(...missed(report, Math.floor((recordedMs - settledMs) / 1000)));
  return report;
}

/** What is beyond its target, a sentence each; NaN (nothing was seen) is beyond every target. */
function missed({ people, durationMs, playback }: ClockReport, seconds: number): string[] {
  const problems: string[] = [];
  const within = (value: number, limit: number, what: string) => {
    if (!(Math.abs(value) <= limit))
      problems.push(`${what} is ${round(value)} ms off, more than ${limit} ms`);
  };
  for (const { name, picture, shown, sound, sync, heard } of people) {
    within(picture.worst, targets.clock, `${name}'s recorded clock`);
    within(shown.worst, targets.clock, `${name}'s clock as it was played`);
    within(sound.worst, targets.clock, `${name}'s recorded sound`);
    within(sync, targets.sync, `${name}'s sound beside the picture`);
    for (const count of [sound.count, heard]) {
      if (count < leastShare * seconds) problems.push(`${name}: ${count} beeps in ${seconds} s`);
    }
  }
  within(durationMs.file, targets.duration, "the length of the MP4");
  within(durationMs.played, targets.duration, "the length of what was played");
  if (playback.troubles.length > 0) problems.push(`the player complained: ${playback.troubles.join(", ")}`);
  return problems;
}

/** The report for a person: one line each. */
export function linesOf({ people, durationMs, playback }: ClockReport): string[] {
  return [
    `  clocks beside the wall's, ms: median, and worst of nine in ten (targets: clock and sound ${targets.clock}, sync ${targets.sync}, length ${targets.duration})`,
    ...people.map(
      ({ name, picture, shown, sound, sync, heard }) =>
        `  ${name.padEnd(8)} picture ${told(picture)}  as played ${told(shown)}  sound ${told(sound)}  sync ${round(sync)}  beeps heard ${heard}`,
    ),
    `  length ${round(durationMs.file)} (MP4), ${round(durationMs.played)} (played); ${playback.pictures} pictures shown, stood still ${playback.stalls} times`,
  ];
}

function told({ median, worst, count }: Agreement): string {
  return `${round(median)}, ${round(worst)} (of ${count})`;
}

function round(value: number): string {
  return String(Math.round(value));
}

function settled(read: ReadClock[][], index: number): ReadClock[] {
  return read.flatMap((cells) => cells[index] ?? []).filter(({ atMs }) => atMs > settledMs);
}

function clocksOnPage(played: PlayedBack, cells: ClockCell[], startedAt: number): ReadClock[][] {
  const points = cells.map((cell) => pointsOf(cell).length);
  return played.pictures.map(({ atMs, shades }) => {
    let from = 0;
    return points.map((count) => {
      const clock = clockOf(shades.slice(from, from + count), atMs, startedAt + atMs);
      from += count;
      return clock;
    });
  });
}
