import * as z from "zod/mini";

/** What a person chose before a call, remembered in this browser. */
const choices = z.object({
  hasCamera: z._default(z.boolean(), true),
  hasMicrophone: z._default(z.boolean(), true),
  cameraId: z.optional(z.string()),
  microphoneId: z.optional(z.string()),
  quality: z._default(z.enum(["audio", "480p", "720p", "1080p"]), "720p"),
  layout: z._default(z.enum(["best_fit", "floating", "vertical"]), "best_fit"),
});
export type Choices = z.output<typeof choices>;
export const qualities = ["480p", "720p", "1080p", "audio"] as const satisfies readonly Choices["quality"][];
export const layouts = ["best_fit", "floating", "vertical"] as const satisfies readonly Choices["layout"][];

const name = "portal-call-choices";

/** What was chosen last, or what most people want. A browser that keeps nothing is no error. */
export function readChoices(storage: Pick<Storage, "getItem"> | undefined = keep()): Choices {
  try {
    const read = z.safeParse(choices, JSON.parse(storage?.getItem(name) ?? "{}"));
    if (read.success) return read.data;
  } catch {
    // Somebody else's text under our name.
  }
  return z.parse(choices, {});
}

export function keepChoices(chosen: Choices, storage: Pick<Storage, "setItem"> | undefined = keep()): void {
  try {
    storage?.setItem(name, JSON.stringify(chosen));
  } catch {
    // Full, or forbidden: then it is asked again next time.
  }
}

function keep(): Storage | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}
