import { Search, SlidersHorizontal, X } from "lucide-react";
import { useEffect, useId, useRef, useState } from "react";
import { recordingQualities } from "../../backend/recording-card.ts";
import { Button } from "../../design/button.tsx";
import { classes } from "../../design/class-names.ts";
import { Field } from "../../design/field.tsx";
import { recordingTexts } from "../../texts/recordings.ts";
import { qualityTexts } from "../../texts/status.ts";
import { isFiltered, type ListFilters, listStatuses, longestSearch, noFilters } from "./list-filters.ts";

const texts = recordingTexts.filters;
/** Somebody who types is not asked about every letter, ms. */
const TYPING_MS = 250;

/** Search, statuses, and behind a button quality, days and gaps. What is chosen lives in the address. */
export function FilterBar({
  filters,
  onChange,
}: {
  filters: ListFilters;
  onChange: (filters: ListFilters) => void;
}) {
  const hasMore =
    filters.qualities.length > 0 ||
    filters.from !== undefined ||
    filters.to !== undefined ||
    filters.isPartial;
  const [isOpen, setOpen] = useState(hasMore);
  const moreId = useId();
  return (
    <search aria-label={texts.label} className="space-y-3">
      <div className="flex flex-wrap items-center gap-2">
        <SearchBox value={filters.search} onSearch={(search) => onChange({ ...filters, search })} />
        <fieldset className="contents">
          <legend className="sr-only">{texts.status}</legend>
          <div className="flex flex-wrap gap-1.5 py-1 max-sm:w-full">
            {listStatuses.map((status) => (
              <Chip
                key={status}
                isChosen={filters.statuses.includes(status)}
                onChange={(isChosen) =>
                  onChange({
                    ...filters,
                    statuses: isChosen
                      ? [...filters.statuses, status]
                      : filters.statuses.filter((other) => other !== status),
                  })
                }
              >
                {texts[status]}
              </Chip>
            ))}
          </div>
        </fieldset>
        <Button
          size="small"
          look="quiet"
          icon={<SlidersHorizontal />}
          aria-expanded={isOpen}
          aria-controls={moreId}
          onClick={() => setOpen(!isOpen)}
        >
          {isOpen ? texts.fewer : texts.more}
        </Button>
        {isFiltered(filters) && (
          <Button size="small" look="quiet" icon={<X />} onClick={() => onChange(noFilters)}>
            {texts.clear}
          </Button>
        )}
      </div>
      <div id={moreId} hidden={!isOpen} className="flex flex-wrap items-end gap-x-4 gap-y-3">
        <QualityChoice
          value={filters.qualities[0] ?? ""}
          onChange={(quality) => onChange({ ...filters, qualities: quality === "" ? [] : [quality] })}
        />
        <Field
          label={texts.from}
          type="date"
          value={filters.from ?? ""}
          max={filters.to}
          onChange={(event) => onChange({ ...filters, from: event.target.value || undefined })}
          className="w-40 max-sm:min-w-0 max-sm:flex-1 max-sm:basis-36"
        />
        <Field
          label={texts.to}
          type="date"
          value={filters.to ?? ""}
          min={filters.from}
          onChange={(event) => onChange({ ...filters, to: event.target.value || undefined })}
          className="w-40 max-sm:min-w-0 max-sm:flex-1 max-sm:basis-36"
        />
        <div className="flex min-h-11 items-center max-sm:w-full">
          <Chip isChosen={filters.isPartial} onChange={(isPartial) => onChange({ ...filters, isPartial })}>
            {texts.partial}
          </Chip>
        </div>
      </div>
    </search>
  );
}

function SearchBox({ value, onSearch }: { value: string; onSearch: (search: string) => void }) {
  const [typed, setTyped] = useState(value);
  const sent = useRef(value);
  const id = useId();
  // The address may change otherwise: the back button, "Clear filters".
  useEffect(() => {
    if (value !== sent.current) setTyped(value);
    sent.current = value;
  }, [value]);
  useEffect(() => {
    if (typed === sent.current) return;
    const timer = setTimeout(() => {
      sent.current = typed;
      onSearch(typed);
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, onSearch]);
  return (
    <div className="relative min-w-0 max-sm:w-full sm:w-72">
      <label htmlFor={id} className="sr-only">
        {texts.search}
      </label>
      <Search
        aria-hidden="true"
        className="pointer-events-none absolute left-3 top-1/2 size-4 -translate-y-1/2 text-ink-faint"
      />
      <input
        id={id}
        type="search"
        value={typed}
        maxLength={longestSearch}
        placeholder={texts.search}
        title={texts.searchHint}
        onChange={(event) => setTyped(event.target.value)}
        className="block min-h-10 w-full rounded-control border border-line-strong bg-surface pl-9 pr-3 placeholder:text-ink-faint pointer-coarse:min-h-11"
      />
    </div>
  );
}

/** A checkbox that looks like a chip. */
function Chip({
  isChosen,
  onChange,
  children,
}: {
  isChosen: boolean;
  onChange: (isChosen: boolean) => void;
  children: string;
}) {
  return (
    <label
      className={classes(
        "inline-flex min-h-8 cursor-pointer select-none items-center whitespace-nowrap rounded-full border px-3 text-sm font-medium transition-colors max-sm:px-2.5 has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent-ink pointer-coarse:min-h-11",
        isChosen
          ? "border-transparent bg-accent text-on-accent"
          : "border-line-strong bg-surface text-ink-soft hover:bg-sunken",
      )}
    >
      <input
        type="checkbox"
        className="sr-only"
        checked={isChosen}
        onChange={(event) => onChange(event.target.checked)}
      />
      {children}
    </label>
  );
}

function QualityChoice({ value, onChange }: { value: string; onChange: (quality: string) => void }) {
  const id = useId();
  return (
    <div className="space-y-1.5 max-sm:w-full">
      <label htmlFor={id} className="block text-sm font-medium">
        {texts.quality}
      </label>
      <select
        id={id}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        className="block min-h-11 rounded-control border max-sm:w-full border-line-strong bg-surface px-3 text-base"
      >
        <option value="">{texts.anyQuality}</option>
        {recordingQualities.map((quality) => (
          <option key={quality} value={quality}>
            {qualityTexts[quality] ?? quality}
          </option>
        ))}
      </select>
    </div>
  );
}
