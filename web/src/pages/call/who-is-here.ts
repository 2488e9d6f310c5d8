import { useEffect, useState } from "react";
import * as z from "zod/mini";
import { hidePresence, listen, showPresence } from "../../backend/channels.ts";

/** What a tab in a call says of itself: a claim, shown and never believed. */
const claim = z.object({ name: z._default(z.string(), "") });

/** A person who says that they are in the call, once however many tabs they have. */
export interface PresentPerson {
  /** Their sign-in, by the key of their tabs. */
  userId: string;
  name: string;
}

/** Puts the tabs of a topic together to people, by name. */
export function peopleOf(tabs: Readonly<Record<string, readonly unknown[]>>): PresentPerson[] {
  const people = new Map<string, PresentPerson>();
  for (const [key, claims] of Object.entries(tabs)) {
    const userId = key.split(":")[0] ?? key;
    const read = claims.map((said) => z.safeParse(claim, said)).find(({ success }) => success);
    if (read?.success) people.set(userId, { userId, name: read.data.name.slice(0, 64) });
  }
  return [...people.values()].sort((a, b) => a.name.localeCompare(b.name));
}

/** Who says that they are in this call; undefined while that is not known. */
export function useWhoIsHere(callId: string | undefined): readonly PresentPerson[] | undefined {
  const [people, setPeople] = useState<readonly PresentPerson[]>();
  useEffect(() => {
    setPeople(undefined);
    if (callId === undefined) return;
    return listen(`call:${callId}`, {
      present: (tabs) => setPeople(peopleOf(tabs)),
      lost: () => setPeople(undefined),
    });
  }, [callId]);
  return people;
}

/** Says that this tab is in the call, while it is. Once per stay: a client may speak five times in 30 s. */
export function useShowMyself(callId: string | undefined, isIn: boolean, name: string): void {
  useEffect(() => {
    if (callId === undefined || !isIn) return;
    const topic = `call:${callId}`;
    const leave = listen(topic, {});
    showPresence(topic, { name });
    return () => {
      hidePresence(topic);
      leave();
    };
  }, [callId, isIn, name]);
}
