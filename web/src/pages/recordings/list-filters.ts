import { recordingQualities } from "../../backend/recording-card.ts";
import type { RecordingStatus } from "../../backend/rows.ts";

/** What a person chose to see. Kept in the address, so that it survives a reload and can be sent to somebody. */
export interface ListFilters {
  statuses: ListStatus[];
  qualities: string[];
  /** Days as the reader's calendar has them, YYYY-MM-DD, both included. */
  from: string | undefined;
  to: string | undefined;
  isPartial: boolean;
  search: string;
}

/** Statuses as people think of them: what is not over yet is one thing. */
export const listStatuses = ["ready", "under_way", "failed", "expired"] as const;
export type ListStatus = (typeof listStatuses)[number];

const statusesOf: Readonly<Record<ListStatus, readonly RecordingStatus[]>> = {
  ready: ["recorded"],
  under_way: ["starting", "recording", "stopping", "processing"],
  failed: ["failed"],
  expired: ["expired"],
};

export const noFilters: ListFilters = {
  statuses: [],
  qualities: [],
  from: undefined,
  to: undefined,
  isPartial: false,
  search: "",
};

/** The longest search the database takes. */
export const longestSearch = 200;

const words = (text: string | null): string[] => (text ?? "").split(",");

/** Reads an address leniently: what means nothing is left out, never an error. */
export function filtersOf(parameters: URLSearchParams): ListFilters {
  return {
    statuses: listStatuses.filter((status) => words(parameters.get("status")).includes(status)),
    qualities: recordingQualities.filter((quality) => words(parameters.get("quality")).includes(quality)),
    from: dayOf(parameters.get("from")),
    to: dayOf(parameters.get("to")),
    isPartial: parameters.get("partial") === "1",
    search: (parameters.get("q") ?? "").slice(0, longestSearch),
  };
}

/** The same filters always make the same address. */
export function parametersOf(filters: ListFilters): URLSearchParams {
  const parameters = new URLSearchParams();
  if (filters.search.trim() !== "") parameters.set("q", filters.search);
  if (filters.statuses.length > 0)
    parameters.set("status", listStatuses.filter((status) => filters.statuses.includes(status)).join(","));
  if (filters.qualities.length > 0)
    parameters.set(
      "quality",
      recordingQualities.filter((quality) => filters.qualities.includes(quality)).join(","),
    );
  if (filters.from !== undefined) parameters.set("from", filters.from);
  if (filters.to !== undefined) parameters.set("to", filters.to);
  if (filters.isPartial) parameters.set("partial", "1");
  return parameters;
}

export function isFiltered(filters: ListFilters): boolean {
  return parametersOf(filters).size > 0;
}

/** The filters as list_recordings takes them: moments in UTC, by the reader's own midnight. */
export function argumentsOf(filters: ListFilters) {
  const statuses = filters.statuses.flatMap((status) => statusesOf[status]);
  const search = filters.search.trim();
  return {
    ...(statuses.length > 0 ? { statuses } : {}),
    ...(filters.qualities.length > 0 ? { qualities: filters.qualities } : {}),
    ...(filters.from === undefined ? {} : { since: midnight(filters.from, 0) }),
    ...(filters.to === undefined ? {} : { until: midnight(filters.to, 1) }),
    ...(filters.isPartial ? { is_partial: true } : {}),
    ...(search === "" ? {} : { search }),
  };
}

function dayOf(text: string | null): string | undefined {
  if (text === null || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  // The 31st of June is a form, not a day.
  const date = new Date(`${text}T00:00:00Z`);
  return Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== text ? undefined : text;
}

function midnight(day: string, daysLater: number): string {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  return new Date(year, month - 1, date + daysLater).toISOString();
}
