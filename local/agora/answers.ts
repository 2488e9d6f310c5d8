/** One HTTP answer of the REST API. */
export interface Answer {
  status: number;
  body: unknown;
  /** The rule of the list that refused; absent from a success. */
  refusedBy?: string;
}

/** An answer that refuses, with the rule it comes from. */
export function refusedAnswer(id: string, { status, body }: Answer): Answer {
  return { status, body, refusedBy: id };
}

/**
 * A success, or a call that nothing refuses although there is nothing to do: only a list without its rule leads there.
 */
export function success(body: unknown = {}): Answer {
  return { status: 200, body };
}
