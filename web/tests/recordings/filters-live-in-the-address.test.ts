import { describe, expect, it } from "vitest";
import {
  argumentsOf,
  filtersOf,
  isFiltered,
  noFilters,
  parametersOf,
} from "../../src/pages/recordings/list-filters.ts";

const read = (address: string) => filtersOf(new URLSearchParams(address));

describe("Filters live in the address", () => {
  it("what is written is read again, always in one form", () => {
    const address =
      "q=chidi+monday&status=ready%2Cfailed&quality=1080p%2Caudio&from=2026-01-01&to=2026-01-31&partial=1";
    expect(parametersOf(read(address)).toString()).toBe(address);
    expect(parametersOf(read("status=failed,ready")).toString()).toBe("status=ready%2Cfailed");
  });

  it("what means nothing is left out, never an error", () => {
    const filters = read("status=lost,ready&quality=8k&from=2026-02-31&to=yesterday&partial=yes&q=");
    expect(filters).toEqual({ ...noFilters, statuses: ["ready"] });
    expect(isFiltered(read("status=lost&to=x"))).toBe(false);
    expect(isFiltered(read("q=x"))).toBe(true);
  });

  it("the database gets its own statuses, and days from the reader's midnight to midnight", () => {
    const wanted = argumentsOf(read("status=under_way&from=2026-03-01&to=2026-03-01&q=%20x%20"));
    expect(wanted.statuses).toEqual(["starting", "recording", "stopping", "processing"]);
    expect(wanted.search).toBe("x");
    expect(new Date(wanted.since ?? "").getHours()).toBe(0);
    expect(Date.parse(wanted.until ?? "") - Date.parse(wanted.since ?? "")).toBe(24 * 3600 * 1000);
  });

  it("nothing chosen asks for nothing", () => {
    expect(argumentsOf(noFilters)).toEqual({});
  });
});
