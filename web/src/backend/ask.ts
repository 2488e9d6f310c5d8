import { backend } from "./client.ts";
import { asBackendError, asFunctionError, type BackendError } from "./errors.ts";
import { sessionWasRefused } from "./session.ts";

interface Answer {
  data: unknown;
  error: unknown;
  status: number;
}

/** Awaits an answer of PostgREST and gives its data. Throws BackendError; a refused session also asks to sign in again. */
export async function ask(answer: PromiseLike<Answer>): Promise<unknown> {
  let got: Answer;
  try {
    got = await answer;
  } catch (thrown) {
    throw tell(asBackendError(thrown));
  }
  if (got.error !== null) throw tell(asBackendError(got.error, got.status || undefined));
  return got.data;
}

/** Calls an Edge Function as the signed-in person and gives its answer. Throws BackendError with the function's own code. */
export async function askFunction(name: string, body: Record<string, unknown>): Promise<unknown> {
  const { data, error } = await backend().functions.invoke(name, { body });
  if (error !== null) throw tell(await asFunctionError(error));
  return data;
}

function tell(error: BackendError): BackendError {
  if (error.code === "sign_in_required") sessionWasRefused();
  return error;
}
