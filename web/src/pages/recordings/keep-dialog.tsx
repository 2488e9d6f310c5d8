import type { RecordingCard } from "../../backend/recording-card.ts";
import { formatDate } from "../../design/format.ts";
import { en } from "../../texts/en.ts";
import { recordingTexts as texts } from "../../texts/recordings.ts";
import { AskFirst } from "./ask-first.tsx";

/** Asks before a recording is kept as long as its policy allows. */
export default function KeepDialog({
  card,
  onClose,
  onConfirm,
}: {
  card: RecordingCard;
  onClose: () => void;
  onConfirm: () => Promise<void>;
}) {
  const { keepable_until, expires_at } = card;
  return (
    <AskFirst
      title={texts.keepTitle}
      cancel={en.cancel}
      confirm={texts.keepConfirm}
      look="primary"
      onClose={onClose}
      onConfirm={onConfirm}
    >
      {expires_at !== null && <p>{texts.keepNow(formatDate(expires_at))}</p>}
      <p>
        {keepable_until === null || keepable_until === "infinity"
          ? texts.keepForGoodText
          : texts.keepText(formatDate(keepable_until))}
      </p>
    </AskFirst>
  );
}
