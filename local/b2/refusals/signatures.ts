import { B2_S3_API, type Refusal, S3_ERRORS, S3_HEADER_FORM, S3_QUERY_FORM } from "./row.ts";

const UNKNOWN_MECHANISM =
  "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";

/** Who asks, since when and for how long. */
export const SIGNATURE_REFUSALS = {
  "nobody-asks": { code: "AccessDenied", what: "a request without any signature", source: B2_S3_API },
  "signed-twice": {
    code: "InvalidArgument",
    what: "a presigned URL together with an Authorization header",
    source: S3_QUERY_FORM,
    message:
      "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified",
  },
  "session-token": {
    code: "InvalidToken",
    what: "a session token: keys of B2 are static",
    source: S3_ERRORS,
  },
  "old-signature": {
    code: "InvalidRequest",
    what: "Signature Version 2, or any other mechanism, in the header",
    source: B2_S3_API,
    message: UNKNOWN_MECHANISM,
  },
  "old-presigned": {
    code: "InvalidRequest",
    what: "Signature Version 2 in a URL",
    source: "Backblaze documentation, S3-Compatible App Keys; ai-dock/comfyui #22",
    message: UNKNOWN_MECHANISM,
  },
  "header-part-missing": {
    code: "AuthorizationHeaderMalformed",
    what: "an Authorization header without credential, signed headers or signature",
    source: S3_HEADER_FORM,
    message:
      "The authorization header is malformed; the authorization header requires three components: Credential, SignedHeaders, and Signature.",
  },
  "date-missing": {
    code: "AccessDenied",
    what: "a signed request without a usable date",
    source: S3_HEADER_FORM,
    message: "AWS authentication requires a valid Date or x-amz-date header",
  },
  "presign-part-missing": {
    code: "AuthorizationQueryParametersError",
    what: "a presigned URL without one of its six parameters",
    source: S3_QUERY_FORM,
    message:
      "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
  },
  "presign-algorithm": {
    code: "AuthorizationQueryParametersError",
    what: "a presigned URL of another algorithm",
    source: S3_QUERY_FORM,
    message: 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"',
  },
  "presign-date": {
    code: "AuthorizationQueryParametersError",
    what: "a presigned URL whose date is none",
    source: S3_QUERY_FORM,
    message: "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"",
  },
  "presign-life-negative": {
    code: "AuthorizationQueryParametersError",
    what: "a presigned URL with a negative life",
    source: S3_QUERY_FORM,
    message: "X-Amz-Expires must be non-negative",
  },
  "presign-life-no-number": {
    code: "AuthorizationQueryParametersError",
    what: "a presigned URL whose life is no number",
    source: S3_QUERY_FORM,
    message: "X-Amz-Expires should be a number",
  },
  "presign-life-too-long": {
    code: "AuthorizationQueryParametersError",
    what: "a presigned URL that would live longer than seven days",
    source: "Backblaze SDK, presigned URLs: 1 to 604,800 seconds",
    message:
      "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
  },
  "presign-not-yet": {
    code: "AccessDenied",
    what: "a presigned URL of the future",
    source: S3_QUERY_FORM,
    message: "Request is not valid yet",
  },
  "presign-expired": {
    code: "AccessDenied",
    what: "a presigned URL after its end",
    source: S3_QUERY_FORM,
    message: "Request has expired",
  },
  "credential-malformed": {
    code: "AuthorizationHeaderMalformed",
    what: "a credential that has not its five parts (in a URL AuthorizationQueryParametersError, as below)",
    source: S3_HEADER_FORM,
  },
  "credential-terminal": {
    code: "AuthorizationHeaderMalformed",
    what: "a credential that does not end with aws4_request",
    source: S3_HEADER_FORM,
  },
  "credential-service": {
    code: "AuthorizationHeaderMalformed",
    what: "a credential for another service than s3",
    source: S3_HEADER_FORM,
  },
  "credential-region": {
    code: "AuthorizationHeaderMalformed",
    what: "a credential for another region",
    source: `${S3_ERRORS}; B2's own answer is not documented`,
  },
  "credential-day": {
    code: "AuthorizationHeaderMalformed",
    what: "a credential of another day than the request",
    source: S3_HEADER_FORM,
  },
  "key-malformed": {
    code: "InvalidAccessKeyId",
    what: "a key id that is none, such as the master key's",
    source: "Backblaze documentation, S3-Compatible App Keys",
    message: "Malformed Access Key Id",
  },
  "key-unknown": {
    code: "InvalidAccessKeyId",
    what: "a key that does not exist (any more)",
    source: S3_ERRORS,
  },
  "clock-skewed": {
    code: "RequestTimeTooSkewed",
    what: "a request signed more than 15 minutes from now",
    source: `${S3_ERRORS}; B2's own limit is not documented`,
  },
  "header-unsigned": {
    code: "AccessDenied",
    what: "host or an x-amz header that is not signed",
    source: S3_HEADER_FORM,
    message: "There were headers present in the request which were not signed",
  },
  "body-hash-missing": {
    code: "InvalidRequest",
    what: "a request without x-amz-content-sha256",
    source: S3_HEADER_FORM,
    message: "Missing required header for this request: x-amz-content-sha256",
  },
  "body-hash-streaming": {
    code: "NotImplemented",
    what: "a body in aws-chunked encoding",
    source:
      "Amazon S3 API reference, Signature Calculations: Transferring Payload in Multiple Chunks; not documented for B2",
  },
  "body-hash-malformed": {
    code: "InvalidArgument",
    what: "an x-amz-content-sha256 that is no SHA-256",
    source: S3_HEADER_FORM,
    message: "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, or a valid sha256 value.",
  },
  "signature-wrong": {
    code: "SignatureDoesNotMatch",
    what: "a signature of another secret or of another request",
    source: S3_ERRORS,
  },
} as const satisfies Record<string, Refusal>;
