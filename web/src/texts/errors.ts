/** What a page can offer beside the sentence; it has the button only where pressing it can help. */
export type ErrorButton = "retry" | "sign_in" | "home" | "none";

export interface ErrorText {
  /** What happened, in one sentence. */
  sentence: string;
  /** What to do now, in one sentence. */
  action: string;
  button: ErrorButton;
}

const say = (sentence: string, action: string, button: ErrorButton = "none"): ErrorText => ({
  sentence,
  action,
  button,
});

const unexpected = say("Something went wrong on our side.", "Try again in a moment.", "retry");

/** One sentence and one action for every code that a person can meet; docs/errors.md has the operator's side. */
export const errorTexts: Readonly<Record<string, ErrorText>> = {
  unexpected_error: unexpected,
};

/** The text of a code; an unknown one is ours to mend. */
export function textOfError(code: string): ErrorText {
  return errorTexts[code] ?? unexpected;
}
