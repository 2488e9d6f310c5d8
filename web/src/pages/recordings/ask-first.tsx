import { type ReactNode, useState } from "react";
import { asBackendError } from "../../backend/errors.ts";
import { Button, type ButtonLook } from "../../design/button.tsx";
import { Dialog } from "../../design/dialog.tsx";
import { Notice } from "../../design/states.tsx";
import { textOfError } from "../../texts/errors.ts";

export interface AskFirstProps {
  title: string;
  children: ReactNode;
  cancel: string;
  confirm: string;
  look: ButtonLook;
  role?: "dialog" | "alertdialog";
  onClose: () => void;
  /** Does it; what it throws is shown, and the question stays. */
  onConfirm: () => Promise<void>;
}

/** A question before something that concerns two people. */
export function AskFirst({
  title,
  children,
  cancel,
  confirm,
  look,
  role = "dialog",
  onClose,
  onConfirm,
}: AskFirstProps) {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | undefined>();
  const answer = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      await onConfirm();
      onClose();
    } catch (thrown) {
      const { sentence, action } = textOfError(asBackendError(thrown).code);
      setProblem(`${sentence} ${action}`);
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={title}
      role={role}
      onClose={isBusy ? undefined : onClose}
      actions={
        <>
          <Button onClick={onClose} disabled={isBusy}>
            {cancel}
          </Button>
          <Button look={look} isBusy={isBusy} onClick={() => void answer()}>
            {confirm}
          </Button>
        </>
      }
    >
      <div className="space-y-3 text-ink-soft">{children}</div>
      {problem !== undefined && (
        <Notice tone="bad" isUrgent>
          {problem}
        </Notice>
      )}
    </Dialog>
  );
}
