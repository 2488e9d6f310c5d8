const plurals = new Intl.PluralRules("en");
const count = (n: number, one: string, other: string): string =>
  `${new Intl.NumberFormat("en").format(n)} ${plurals.select(n) === "one" ? one : other}`;

/** Every text of the recordings page, and what the player page says about a recording's state. */
export const recordingTexts = {
  title: "Recordings",
  titleWith: (name: string) => `Recordings with ${name}`,
  count: (n: number, isFiltered: boolean) =>
    count(n, "recording", "recordings") + (isFiltered ? " found" : ""),
  loading: "Loading the recordings…",
  listLabel: "Recordings, newest first",
  toCall: "Go to the call",
  loadingMore: "Loading older recordings…",
  allShown: "That is all of them.",
  moreFailed: "Older recordings could not be loaded.",

  filters: {
    label: "Filter recordings",
    search: "Search",
    searchHint: "A name, a day like “2026-11-22” or “November”, a reason",
    status: "Status",
    ready: "Ready",
    under_way: "Under way",
    failed: "Failed",
    expired: "Expired",
    quality: "Quality",
    anyQuality: "Any quality",
    from: "From",
    to: "To",
    partial: "With gaps",
    clear: "Clear filters",
    more: "More filters",
    fewer: "Fewer filters",
  },

  emptyTitle: "Nothing recorded yet",
  emptyText: "Start a recording in your next call. It appears here the moment somebody presses record.",
  noMatchTitle: "No recording matches",
  noMatchText: "Try other words, or take a filter away.",
  strangerTitle: "There is nothing here for you",
  strangerText: "These recordings belong to somebody else, or the address is wrong.",

  soundOnly: "Sound only",
  noPicture: "No preview",
  watch: (when: string) => `Watch the recording of ${when}`,
  details: (when: string) => `Details of the recording of ${when}`,
  recordedBy: (name: string, isMe: boolean) => (isMe ? "Recorded by you" : `Recorded by ${name}`),
  mentor: "the mentor",
  mentee: "the mentee",

  states: {
    waiting_for_a_recorder: (place: number) =>
      place === 1 ? "Next in line for a recorder" : `Waiting for a recorder: place ${place} in the queue`,
    starting: "The recorder is on its way",
    recording: "Recording now",
    stopping: "Stopping: waiting until the recorder confirms",
    waiting_for_files: "The files are on their way; usually that takes a few minutes",
    copying: (bytes: string, total: string) => `${bytes} of ${total} copied`,
    endsIn: (when: string) => `there ${when}`,
    ready: "Ready to watch",
    ready_with_gaps: "Ready, with something missing",
    deleting: "The files are being deleted",
    expired: "The files were deleted",
    failed: "Failed",
  },
  progressLabel: (when: string) => `Progress of the recording of ${when}`,
  playableMeanwhile: "What is there can be watched already.",
  gaps: (n: number) => `${count(n, "gap", "gaps")}`,
  gapsMissing: (n: number, length: string) => `${count(n, "gap", "gaps")}, ${length} missing`,
  expires: (date: string) => `Kept until ${date}`,
  expiresSoon: (relative: string) => `Deleted ${relative}`,
  keptForGood: "Kept without an end",
  held: (reason: string) => `Held: ${reason}`,

  nextSteps: {
    look_again: "Its files may have arrived since: look for them again.",
    wait_and_record_again: "Wait a little, then record again in the call.",
    record_again: "Record again in the call.",
    tell_administrator: "Tell an administrator: this needs a change of settings.",
    nothing: "Nothing can be done about it any more.",
  },
  lookAgain: "Look again",
  lookedAgain: "The files are looked for again.",
  keepLonger: "Keep longer",
  delete: "Delete",
  more: (when: string) => `More about the recording of ${when}`,
  open: "Open",

  keepTitle: "Keep this recording longer?",
  keepText: (until: string) => `It is kept until ${until} then, for both of you.`,
  keepForGoodText: "It is kept without an end then, for both of you.",
  keepNow: (until: string) => `At the moment it is deleted on ${until}.`,
  keepConfirm: "Keep it",
  kept: "It is kept longer.",

  deleteTitle: "Delete this recording for both of you?",
  deleteText: (when: string) =>
    `The recording of ${when} is deleted from the storage, also for the other person. It cannot be brought back.`,
  deleteConfirm: "Delete for both",
  deleteCancel: "Keep it",
  deleted: "The recording is being deleted.",
} as const;
