import type { ErrorCode } from "./errors.ts";
import { S3Error } from "./errors.ts";
import type { Query } from "./request-target.ts";
import { queryValue } from "./request-target.ts";

/** What a signer claims, in one shape for both forms of SigV4; nothing in it is verified yet. */
export interface Authorization {
  credential: string;
  signedHeaders: readonly string[];
  /** Hex as sent. */
  signature: string;
  /** `YYYYMMDDTHHMMSSZ`, UTC. */
  timestamp: string;
  timestampMs: number;
  /** Seconds a presigned URL lives; absent in the header form. */
  expiresSeconds?: number;
}

export interface Credential {
  keyId: string;
  /** `YYYYMMDD` */
  date: string;
  region: string;
  /** `date/region/s3/aws4_request` */
  scope: string;
}

const ALGORITHM = "AWS4-HMAC-SHA256";

/**
 * Reads the `Authorization` header.
 * @throws S3Error InvalidRequest for another mechanism (Signature Version 2), AuthorizationHeaderMalformed for a
 * missing part, AccessDenied without a usable date.
 */
export function parseHeaderAuthorization(header: string, date: string | undefined): Authorization {
  if (!header.startsWith(ALGORITHM)) {
    throw new S3Error(
      "InvalidRequest",
      `The authorization mechanism you have provided is not supported. Please use ${ALGORITHM}.`,
    );
  }
  const parts = new Map(
    header
      .slice(ALGORITHM.length)
      .split(",")
      .map((part): [string, string] => {
        const [name = "", ...value] = part.trim().split("=");
        return [name, value.join("=")];
      }),
  );
  const part = (name: string): string => {
    const value = parts.get(name);
    if (value) return value;
    throw new S3Error(
      "AuthorizationHeaderMalformed",
      `The authorization header is malformed; the authorization header requires three components: Credential, SignedHeaders, and Signature.`,
    );
  };
  const timestamp = timestampOf(date);
  if (timestamp === undefined) {
    throw new S3Error("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header");
  }
  return {
    credential: part("Credential"),
    signedHeaders: part("SignedHeaders").toLowerCase().split(";"),
    signature: part("Signature"),
    ...timestamp,
  };
}

/**
 * Reads the six parameters of a presigned URL.
 * @throws S3Error AuthorizationQueryParametersError, or InvalidRequest for Signature Version 2.
 */
export function parseQueryAuthorization(query: Query): Authorization {
  const names = ["Algorithm", "Credential", "Signature", "Date", "SignedHeaders", "Expires"] as const;
  const [algorithm, credential, signature, date, signedHeaders, expires] = names.map((name) =>
    queryValue(query, `X-Amz-${name}`),
  );
  if (algorithm === undefined && queryValue(query, "Signature") !== undefined) {
    throw new S3Error(
      "InvalidRequest",
      `The authorization mechanism you have provided is not supported. Please use ${ALGORITHM}.`,
    );
  }
  if (!algorithm || !credential || !signature || !date || !signedHeaders || !expires) {
    throw malformedQuery(
      "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
    );
  }
  if (algorithm !== ALGORITHM) {
    throw malformedQuery(`X-Amz-Algorithm only supports "${ALGORITHM}"`);
  }
  const timestamp = /^\d{8}T\d{6}Z$/.test(date) ? timestampOf(date) : undefined;
  if (timestamp === undefined) {
    throw malformedQuery("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  }
  if (/^-\d+$/.test(expires)) throw malformedQuery("X-Amz-Expires must be non-negative");
  if (!/^\d{1,9}$/.test(expires)) throw malformedQuery("X-Amz-Expires should be a number");
  return {
    credential,
    signedHeaders: signedHeaders.toLowerCase().split(";"),
    signature,
    expiresSeconds: Number(expires),
    ...timestamp,
  };
}

const malformedQuery = (message: string) => new S3Error("AuthorizationQueryParametersError", message);

/**
 * Checks the credential scope: its day, the store's region, service `s3`.
 * @throws S3Error AuthorizationHeaderMalformed or AuthorizationQueryParametersError, each saying what was expected.
 */
export function parseCredential(authorization: Authorization, ownRegion: string): Credential {
  const presigned = authorization.expiresSeconds !== undefined;
  const code: ErrorCode = presigned ? "AuthorizationQueryParametersError" : "AuthorizationHeaderMalformed";
  const refuse = (reason: string, region?: string) =>
    new S3Error(
      code,
      presigned
        ? `Error parsing the X-Amz-Credential parameter; ${reason}`
        : `The authorization header is malformed; ${reason}`,
      region === undefined ? {} : { details: { Region: region } },
    );
  const parts = authorization.credential.split("/");
  const [keyId, date, region, service, terminal] = parts;
  if (parts.length !== 5 || !keyId || !date || !region || !service || !terminal) {
    throw refuse(
      `the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".`,
    );
  }
  if (terminal !== "aws4_request") {
    throw refuse(`incorrect terminal "${terminal}". This endpoint uses "aws4_request".`);
  }
  if (service !== "s3") throw refuse(`incorrect service "${service}". This endpoint belongs to "s3".`);
  if (region !== ownRegion) {
    throw refuse(`the region '${region}' is wrong; expecting '${ownRegion}'`, ownRegion);
  }
  const day = authorization.timestamp.slice(0, 8);
  if (date !== day) {
    throw refuse(
      `Invalid credential date "${date}". This date is not the same as X-Amz-Date: "${authorization.timestamp}".`,
    );
  }
  return { keyId, date, region, scope: [date, region, service, terminal].join("/") };
}

/** Reads ISO 8601 basic format, or the HTTP date a `Date` header carries. */
function timestampOf(text: string | undefined): { timestamp: string; timestampMs: number } | undefined {
  if (text === undefined) return undefined;
  const basic = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  const timestampMs = Date.parse(
    basic === null ? text : `${basic.slice(1, 4).join("-")}T${basic.slice(4).join(":")}Z`,
  );
  if (Number.isNaN(timestampMs)) return undefined;
  const timestamp = new Date(timestampMs).toISOString().replace(/[-:]|\.\d{3}/g, "");
  return { timestamp, timestampMs };
}
