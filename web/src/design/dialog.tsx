import { X } from "lucide-react";
import { type ReactNode, useId, useLayoutEffect, useRef } from "react";
import { en } from "../texts/en.ts";
import { IconButton } from "./button.tsx";
import { classes } from "./class-names.ts";
import { holdFocus } from "./hold-focus.ts";

interface DialogProps {
  title: string;
  children: ReactNode;
  /** The buttons below, the main one last. */
  actions?: ReactNode;
  /** Escape, the cross or a click beside it. Without it only an answer closes the dialog: a question of consent, a sign-in. */
  onClose?: (() => void) | undefined;
  /** `alert` for a question that must be read before anything else. */
  role?: "dialog" | "alertdialog";
  className?: string;
}

/**
 * A modal dialog: the browser's own, which keeps the focus inside, hides the page behind it from everybody and gives the focus back.
 * Shown while it is mounted. What is typed in it is its own: a page's keys (the player's) do not hear it.
 */
export function Dialog({ title, children, actions, onClose, role = "dialog", className }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Before it is taken out of the page, or the browser has nothing left to give the focus back from.
  useLayoutEffect(() => {
    const dialog = ref.current;
    if (dialog === null) return;
    const around = dialog.closest("article, main");
    if (!dialog.open) dialog.showModal();
    return () => {
      dialog.close();
      // What opened it may go with the answer, sooner or later: then the name of what it belonged to.
      holdFocus(() => around?.querySelector<HTMLElement>("h1, h2 a"));
    };
  }, []);
  return (
    <dialog
      ref={ref}
      role={role}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
      onKeyDown={(event) => {
        event.stopPropagation();
        // A second Escape would close it whatever we say.
        if (event.key === "Escape" && onClose === undefined) event.preventDefault();
      }}
      onKeyUp={(event) => event.stopPropagation()}
      onPointerDown={(event) => event.target === ref.current && onClose?.()}
      className={classes(
        "m-auto w-[min(28rem,calc(100vw-2rem))] rounded-card border border-line bg-raised p-0 text-ink shadow-raised open:animate-appear",
        className,
      )}
    >
      <div className="space-y-4 p-6">
        <div className="flex items-start justify-between gap-4">
          <h2 id={id} className="text-lg font-semibold">
            {title}
          </h2>
          {onClose !== undefined && (
            <IconButton label={en.close} icon={<X />} onClick={onClose} className="-mr-2 -mt-2" />
          )}
        </div>
        {children}
        {actions !== undefined && <div className="flex flex-wrap justify-end gap-2 pt-2">{actions}</div>}
      </div>
    </dialog>
  );
}
