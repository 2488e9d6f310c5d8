import { CalendarPlus, RotateCw, Trash2 } from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";
import { whenOnline } from "../../app/when-online.ts";
import { asBackendError } from "../../backend/errors.ts";
import type { RecordingCard } from "../../backend/recording-card.ts";
import { deleteFiles, keepLonger, lookForFilesAgain } from "../../backend/recording-cards.ts";
import { Button } from "../../design/button.tsx";
import { Notice } from "../../design/states.tsx";
import { showToast } from "../../design/toasts.ts";
import { textOfError } from "../../texts/errors.ts";
import { recordingTexts as texts } from "../../texts/recordings.ts";
import { whenOf } from "./card-words.ts";

const loadDeleteDialog = whenOnline(() => import("./delete-dialog.tsx"));
const loadKeepDialog = whenOnline(() => import("./keep-dialog.tsx"));
const DeleteDialog = lazy(loadDeleteDialog);
const KeepDialog = lazy(loadKeepDialog);

/** A question that can be asked is there before it is pressed for: the network may be gone by then. */
function getReady(card: RecordingCard): void {
  // Fails where a new version of the portal is there; the press says so.
  if (card.may_delete) loadDeleteDialog().catch(() => undefined);
  if (card.keepable_until !== null) loadKeepDialog().catch(() => undefined);
}

/** What a person may do about a recording: only what the database allows is there to be pressed. */
export function useCardActions(card: RecordingCard) {
  const [asked, setAsked] = useState<"delete" | "keep" | undefined>();
  const [isLooking, setLooking] = useState(false);
  const [problem, setProblem] = useState<string | undefined>();

  useEffect(() => getReady(card), [card]);
  const say = (thrown: unknown) => {
    const { sentence, action } = textOfError(asBackendError(thrown).code);
    setProblem(`${sentence} ${action}`);
  };
  const lookAgain = async () => {
    setLooking(true);
    setProblem(undefined);
    try {
      await lookForFilesAgain(card.id);
      showToast({ tone: "neutral", title: texts.lookedAgain });
    } catch (thrown) {
      say(thrown);
    } finally {
      setLooking(false);
    }
  };
  const close = () => setAsked(undefined);
  const dialog = (
    <Suspense fallback={null}>
      {asked === "delete" && (
        <DeleteDialog
          when={whenOf(card)}
          onClose={close}
          onConfirm={async () => {
            await deleteFiles(card.id);
            showToast({ tone: "neutral", title: texts.deleted });
          }}
        />
      )}
      {asked === "keep" && (
        <KeepDialog
          card={card}
          onClose={close}
          onConfirm={async () => {
            await keepLonger(card.id);
            showToast({ tone: "good", title: texts.kept });
          }}
        />
      )}
    </Suspense>
  );
  return {
    askDelete: card.may_delete ? () => setAsked("delete") : undefined,
    askKeep: card.keepable_until === null ? undefined : () => setAsked("keep"),
    lookAgain: card.may_retry ? lookAgain : undefined,
    isLooking,
    dialog,
    problem:
      problem === undefined ? null : (
        <Notice tone="bad" isUrgent>
          {problem}
        </Notice>
      ),
  };
}

export type CardActions = ReturnType<typeof useCardActions>;

/** The actions as buttons in a row. */
export function CardActionButtons({ actions }: { actions: CardActions }) {
  const { askDelete, askKeep, lookAgain, isLooking } = actions;
  return (
    <>
      {lookAgain !== undefined && (
        <Button
          size="small"
          look="primary"
          icon={<RotateCw />}
          isBusy={isLooking}
          onClick={() => void lookAgain()}
        >
          {texts.lookAgain}
        </Button>
      )}
      {askKeep !== undefined && (
        <Button size="small" icon={<CalendarPlus />} onClick={askKeep}>
          {texts.keepLonger}
        </Button>
      )}
      {askDelete !== undefined && (
        <Button size="small" look="quiet" icon={<Trash2 />} onClick={askDelete}>
          {texts.delete}
        </Button>
      )}
    </>
  );
}
