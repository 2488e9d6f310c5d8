import { recordingTexts as texts } from "../../texts/recordings.ts";
import { AskFirst } from "./ask-first.tsx";

/** Asks before a recording is deleted: it is gone for both people. */
export default function DeleteDialog({
  when,
  onClose,
  onConfirm,
}: {
  when: string;
  onClose: () => void;
  onConfirm: () => Promise<void>;
}) {
  return (
    <AskFirst
      title={texts.deleteTitle}
      role="alertdialog"
      cancel={texts.deleteCancel}
      confirm={texts.deleteConfirm}
      look="danger"
      onClose={onClose}
      onConfirm={onConfirm}
    >
      <p>{texts.deleteText(when)}</p>
    </AskFirst>
  );
}
