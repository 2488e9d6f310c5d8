/**
 * A failure that the person at the terminal can understand and mend: its message is one complete sentence and is
 * printed as it is, without a stack trace. Anything else that is thrown is a defect of ours and keeps its trace.
 */
export class PlainFailure extends Error {
  override readonly name = "PlainFailure";
}
