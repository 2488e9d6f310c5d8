import { useEffect, useRef } from "react";
import type { Notification } from "../backend/notifications.ts";
import { useMentorships } from "../backend/people.ts";
import { showToast } from "../design/toasts.ts";
import { en } from "../texts/en.ts";
import { notificationText } from "./notification-text.ts";

const tones = { recording_ready: "good", recording_failed: "bad", recording_expiring: "warn" } as const;

/** The same thing told anew has a new time, and is a new toast. */
export const toastKeyOf = (one: Notification): string => `${one.id} ${one.created_at}`;

/** Those that came while this page looked: what lay there before is in the bell. */
export function newOnes(list: readonly Notification[], known: ReadonlySet<string>): Notification[] {
  return list.filter((one) => one.read_at === null && !known.has(toastKeyOf(one)));
}

/**
 * Shows a toast for each notification that comes: in one tab, and in one that is seen. Tabs that are hidden look when they are shown, and
 * find that another one was faster.
 */
export function useNotificationToasts(list: readonly Notification[] | undefined): void {
  const known = useRef<Set<string>>(undefined);
  const people = useMentorships().data;
  useEffect(() => {
    if (list === undefined) return;
    if (known.current === undefined) {
      known.current = new Set(list.map(toastKeyOf));
      return;
    }
    // Without the names there is nothing to say yet.
    if (people === undefined) return;
    const seen = known.current;
    const show = async () => {
      if (document.visibilityState !== "visible") return;
      for (const one of newOnes(list, seen)) {
        seen.add(toastKeyOf(one));
        if (!(await claim(toastKeyOf(one)))) continue;
        const name = people.find(({ id }) => id === one.payload.mentorship_id)?.partner.name ?? "";
        const label = one.kind === "recording_ready" ? en.bell.watch : en.bell.look;
        showToast({
          id: one.id,
          tone: tones[one.kind],
          ...notificationText(one, name),
          link: { to: `/recordings/${one.recording_id}`, label },
        });
      }
    };
    void show();
    document.addEventListener("visibilitychange", show);
    return () => document.removeEventListener("visibilitychange", show);
  }, [list, people]);
}

const shownKey = "toasts-shown";
const remembered = 100;

/** True for the first tab that asks for this toast. */
export async function claim(key: string): Promise<boolean> {
  const take = () => {
    try {
      const shown: unknown = JSON.parse(localStorage.getItem(shownKey) ?? "[]");
      const list = Array.isArray(shown) ? shown : [];
      if (list.includes(key)) return false;
      localStorage.setItem(shownKey, JSON.stringify([...list, key].slice(-remembered)));
    } catch {
      // A browser that keeps nothing shows it in each tab, rather than in none.
    }
    return true;
  };
  return !navigator.locks ? take() : await navigator.locks.request(shownKey, take);
}
