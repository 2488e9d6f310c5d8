/** The statuses of a recording in the words of people. */
export const statusTexts = {
  not_recorded: "Not recorded",
  starting: "Starting",
  recording: "Recording",
  stopping: "Stopping",
  processing: "Processing",
  recorded: "Ready",
  failed: "Failed",
  expired: "Expired",
} as const;

/** Qualities and layouts, as they are chosen and shown. */
export const qualityTexts: Readonly<Record<string, string>> = {
  audio: "Sound only",
  "480p": "480p",
  "720p": "720p",
  "1080p": "1080p",
};
export const layoutTexts: Readonly<Record<string, string>> = {
  best_fit: "Side by side",
  floating: "One large, the others small",
  vertical: "One large, the others beside it",
};
