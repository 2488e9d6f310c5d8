import type { ErrorCode } from "./errors.ts";
import { refusal, refuse } from "./refusals/refuse.ts";
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
    throw refusal("old-signature");
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
    throw refusal("header-part-missing");
  };
  const timestamp = timestampOf(date);
  if (timestamp === undefined) {
    throw refusal("date-missing");
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
    refuse("old-presigned");
  }
  if (!algorithm || !credential || !signature || !date || !signedHeaders || !expires) {
    throw refusal("presign-part-missing");
  }
  if (algorithm !== ALGORITHM) refuse("presign-algorithm");
  const timestamp = /^\d{8}T\d{6}Z$/.test(date) ? timestampOf(date) : undefined;
  if (timestamp === undefined) {
    throw refusal("presign-date");
  }
  if (/^-\d+$/.test(expires)) refuse("presign-life-negative");
  if (!/^\d{1,9}$/.test(expires)) refuse("presign-life-no-number");
  return {
    credential,
    signedHeaders: signedHeaders.toLowerCase().split(";"),
    signature,
    expiresSeconds: Number(expires),
    ...timestamp,
  };
}

/**
 * Checks the credential scope: its day, the store's region, service `s3`.
 * @throws S3Error AuthorizationHeaderMalformed or AuthorizationQueryParametersError, each saying what was expected.
 */
export function parseCredential(authorization: Authorization, ownRegion: string): Credential {
  const presigned = authorization.expiresSeconds !== undefined;
  const code: ErrorCode = presigned ? "AuthorizationQueryParametersError" : "AuthorizationHeaderMalformed";
  const facts = (reason: string, details: Record<string, string> = {}) => ({
    code,
    message: presigned
      ? `Error parsing the X-Amz-Credential parameter; ${reason}`
      : `The authorization header is malformed; ${reason}`,
    details,
  });
  const parts = authorization.credential.split("/");
  const [keyId, date, region, service, terminal] = parts;
  if (parts.length !== 5 || !keyId || !date || !region || !service || !terminal) {
    const reason = `the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".`;
    throw refusal("credential-malformed", facts(reason));
  }
  if (terminal !== "aws4_request") {
    const reason = `incorrect terminal "${terminal}". This endpoint uses "aws4_request".`;
    refuse("credential-terminal", facts(reason));
  }
  if (service !== "s3") {
    refuse("credential-service", facts(`incorrect service "${service}". This endpoint belongs to "s3".`));
  }
  if (region !== ownRegion) {
    const reason = `the region '${region}' is wrong; expecting '${ownRegion}'`;
    refuse("credential-region", facts(reason, { Region: ownRegion }));
  }
  const day = authorization.timestamp.slice(0, 8);
  if (date !== day) {
    const reason = `Invalid credential date "${date}". This date is not the same as X-Amz-Date: "${authorization.timestamp}".`;
    refuse("credential-day", facts(reason));
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
