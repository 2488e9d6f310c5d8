import { BellRing, CheckCheck, CircleCheck, Clock, TriangleAlert } from "lucide-react";
import { Link } from "react-router";
import { asBackendError } from "../backend/errors.ts";
import { markRead, type Notification } from "../backend/notifications.ts";
import { type Loaded, useMentorships } from "../backend/people.ts";
import { Button } from "../design/button.tsx";
import { LoadingRows } from "../design/skeleton.tsx";
import { ErrorState } from "../design/states.tsx";
import { Ago } from "../design/time.tsx";
import { showToast } from "../design/toasts.ts";
import { en } from "../texts/en.ts";
import { textOfError } from "../texts/errors.ts";
import { notificationText } from "./notification-text.ts";

const icons = {
  recording_ready: <CircleCheck className="text-good" />,
  recording_failed: <TriangleAlert className="text-bad" />,
  recording_expiring: <Clock className="text-warn" />,
};

async function read(ids: readonly string[]): Promise<void> {
  try {
    await markRead(ids);
  } catch (thrown) {
    const { sentence, action } = textOfError(asBackendError(thrown).code);
    showToast({ id: "mark-read", tone: "bad", title: sentence, text: action });
  }
}

/** The list under the bell. Following one marks it as read. */
export default function BellPanel({
  notifications,
  onClose,
}: {
  notifications: Loaded<Notification[]>;
  onClose: () => void;
}) {
  const people = useMentorships().data ?? [];
  const list = notifications.data;
  const unread = (list ?? []).filter((one) => one.read_at === null).map((one) => one.id);
  return (
    <section
      aria-label={en.bell.title}
      className="absolute right-0 top-full z-50 mt-2 flex max-h-[min(32rem,80dvh)] w-96 animate-appear flex-col overflow-hidden rounded-card border border-line bg-raised shadow-raised max-sm:inset-x-3 max-sm:w-auto"
    >
      <div className="flex min-h-13 items-center justify-between gap-3 border-b border-line px-4 py-2">
        <h2 className="font-semibold">{en.bell.title}</h2>
        {unread.length > 0 && (
          <Button look="quiet" size="small" icon={<CheckCheck />} onClick={() => void read(unread)}>
            {en.bell.markAll}
          </Button>
        )}
      </div>
      <div className="overflow-y-auto overscroll-contain">
        {notifications.status === "loading" && (
          <div className="p-4">
            <LoadingRows label={en.loading} count={3} className="h-14" />
          </div>
        )}
        {notifications.status === "error" && (
          <ErrorState error={notifications.error} onRetry={notifications.refetch} />
        )}
        {list?.length === 0 && (
          <div className="flex flex-col items-center gap-2 px-6 py-10 text-center">
            <BellRing aria-hidden="true" className="size-7 text-ink-faint" />
            <p className="font-medium">{en.bell.none}</p>
            <p className="text-sm text-ink-soft">{en.bell.noneText}</p>
          </div>
        )}
        <ul className="divide-y divide-line">
          {list?.map((one) => {
            const name = people.find(({ id }) => id === one.payload.mentorship_id)?.partner.name ?? "";
            const { title, text } = notificationText(one, name);
            return (
              <li
                key={one.id}
                className={`relative flex gap-3 px-4 py-3 hover:bg-sunken ${one.read_at === null ? "bg-accent-soft/60" : ""}`}
              >
                <span aria-hidden="true" className="mt-0.5 [&_svg]:size-5">
                  {icons[one.kind]}
                </span>
                <div className="min-w-0 flex-1 text-sm">
                  <p className={one.read_at === null ? "font-semibold" : ""}>
                    <Link
                      to={`/recordings/${one.recording_id}`}
                      onClick={() => {
                        onClose();
                        if (one.read_at === null) void read([one.id]);
                      }}
                      className="covers"
                    >
                      {one.read_at === null && <span className="sr-only">{en.bell.unread}: </span>}
                      {title}
                    </Link>
                  </p>
                  <p className="text-ink-soft">{text}</p>
                  <p className="mt-0.5 text-xs text-ink-faint">
                    <Ago at={one.created_at} />
                  </p>
                </div>
                {one.read_at === null && (
                  <span aria-hidden="true" className="mt-1.5 size-2 shrink-0 rounded-full bg-accent-ink" />
                )}
              </li>
            );
          })}
        </ul>
      </div>
    </section>
  );
}
