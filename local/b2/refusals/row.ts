import type { ErrorCode } from "../errors.ts";

/** One thing the store refuses. */
export interface Refusal {
  code: ErrorCode;
  /** What is refused. */
  what: string;
  /** Where it is known from; what Backblaze's own pages do not say is S3's rule, and said to be. */
  source: string;
  /** The sentence, where it is neither the code's usual one nor made of the request. */
  message?: string;
}

export const S3_ERRORS = "Amazon S3 API reference, Error Responses";
export const S3_HEADER_FORM =
  "Amazon S3 API reference, Authenticating Requests: Using the Authorization Header";
export const S3_QUERY_FORM = "Amazon S3 API reference, Authenticating Requests: Using Query Parameters";
export const B2_S3_API = "Backblaze documentation, Call the S3-Compatible API";
export const B2_APP_KEYS = "Backblaze documentation, Application Key Capabilities; S3-Compatible App Keys";
export const B2_LIFECYCLE = "Backblaze documentation, S3 Put Bucket Lifecycle; Lifecycle Rules";
export const B2_CORS = "Backblaze documentation, Cross-Origin Resource Sharing Rules; S3 Put Bucket CORS";
