import type { Notification } from "../backend/notifications.ts";
import { formatDate, formatDuration } from "../design/format.ts";
import { en } from "../texts/en.ts";
import { textOfError } from "../texts/errors.ts";

/** What a notification says; `name` is the other person's. */
export function notificationText(
  { kind, payload }: Notification,
  name: string,
): { title: string; text: string } {
  const who = name === "" ? en.bell.somebody : name;
  if (kind === "recording_ready") {
    const length = payload.duration_ms === undefined ? undefined : formatDuration(payload.duration_ms);
    return { title: en.bell.ready(who), text: en.bell.readyText(length) };
  }
  if (kind === "recording_failed") {
    const { sentence, action } = textOfError(payload.code ?? "unexpected_error");
    return { title: en.bell.failed(who), text: `${sentence} ${action}` };
  }
  const date = payload.expires_at === undefined ? undefined : formatDate(payload.expires_at);
  return { title: en.bell.expiring(who), text: en.bell.expiringText(date) };
}
