import { useSyncExternalStore } from "react";
import type { Tone } from "./pill.tsx";

export interface Toast {
  id: string;
  title: string;
  text?: string;
  tone: Extract<Tone, "neutral" | "good" | "warn" | "bad">;
  /** Where it leads; the same way is in the notifications or on the page. */
  link?: { to: string; label: string };
}

let toasts: readonly Toast[] = [];
const listeners = new Set<() => void>();

function set(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

/** Shows a toast; one with the same id is replaced. Never the only place of what it says. */
export function showToast(toast: Omit<Toast, "id"> & { id?: string }): void {
  const id = toast.id ?? crypto.randomUUID();
  set([...toasts.filter((shown) => shown.id !== id), { ...toast, id }].slice(-4));
}

/** Takes a toast away. */
export function hideToast(id: string): void {
  set(toasts.filter((toast) => toast.id !== id));
}

/** What is shown, for the one viewport. */
export function useToasts(): readonly Toast[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
}
