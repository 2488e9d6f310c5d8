import { Bell as BellIcon } from "lucide-react";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { useNotifications } from "../backend/notifications.ts";
import { IconButton } from "../design/button.tsx";
import { en } from "../texts/en.ts";
import { useNotificationToasts } from "./notification-toasts.ts";
import { whenOnline } from "./when-online.ts";

const BellPanel = lazy(whenOnline(() => import("./bell-panel.tsx")));

/** The bell: how many are unread, and the list under it, whose code comes when it is opened. */
export default function Bell() {
  const [isOpen, setOpen] = useState(false);
  const around = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const notifications = useNotifications();
  useNotificationToasts(notifications.data);
  const unread = (notifications.data ?? []).filter((one) => one.read_at === null).length;

  useEffect(() => {
    if (!isOpen) return;
    const close = (event: PointerEvent | FocusEvent) => {
      if (event.target instanceof Node && !around.current?.contains(event.target)) setOpen(false);
    };
    const leave = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      setOpen(false);
      button.current?.focus();
    };
    document.addEventListener("pointerdown", close);
    document.addEventListener("focusin", close);
    document.addEventListener("keydown", leave);
    return () => {
      document.removeEventListener("pointerdown", close);
      document.removeEventListener("focusin", close);
      document.removeEventListener("keydown", leave);
    };
  }, [isOpen]);

  return (
    <div ref={around} className="relative max-sm:static">
      <IconButton
        ref={button}
        label={en.bell.open(unread)}
        icon={
          <>
            <BellIcon />
            {unread > 0 && (
              <span
                aria-hidden="true"
                className="absolute right-1 top-1 flex h-4 min-w-4 items-center justify-center rounded-full bg-danger px-1 text-[0.625rem] font-semibold text-white"
              >
                {unread > 9 ? "9+" : unread}
              </span>
            )}
          </>
        }
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      />
      {isOpen && (
        <Suspense>
          <BellPanel notifications={notifications} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </div>
  );
}
