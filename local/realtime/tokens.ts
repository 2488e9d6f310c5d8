import { createHash, timingSafeEqual } from "node:crypto";
import { decodeProtectedHeader, errors, jwtVerify } from "jose";
import { z } from "zod";

/** What a token says of its bearer. Every other claim is kept: policies may read it. */
export const claimsSchema = z.looseObject({
  role: z.string().min(1),
  exp: z.number().int(),
  sub: z.string().optional(),
});
export type Claims = z.output<typeof claimsSchema>;

/** Why a token was refused: the code that stands before the colon of a join error, and the sentence after it. */
export interface TokenRefusal {
  code: "InvalidJWTToken" | "MalformedJWT" | "JwtSignatureError" | "JwtSignerError";
  message: string;
}

export type TokenVerdict =
  | { claims: Claims; refusal?: undefined }
  | { claims?: undefined; refusal: TokenRefusal };

/** A connection that was opened with a key only, without a user's token, may live for a day. */
const keyLifetimeSeconds = 24 * 60 * 60;

export interface TokenReader {
  /** Reads a user's token: HS256 over the project's secret, with `role` and `exp`, not expired. */
  readToken(token: string): Promise<TokenVerdict>;
  /** Reads an `apikey`: the publishable key is `anon`, the secret key `service_role`; else it must be a token. */
  readKey(key: string): Promise<TokenVerdict>;
  isProjectKey(key: string): boolean;
}

/** Makes the reader for one project's secret and keys. */
export function tokenReader(jwtSecret: string, publishableKey: string, secretKey: string): TokenReader {
  const secret = new TextEncoder().encode(jwtSecret);
  const roleOf = (key: string): string | undefined => {
    if (sameText(key, publishableKey)) return "anon";
    return sameText(key, secretKey) ? "service_role" : undefined;
  };
  const readToken = (token: string) => verify(token.replaceAll(/\s/g, ""), secret);
  return {
    readToken,
    async readKey(key) {
      const role = roleOf(key);
      if (role === undefined) return readToken(key);
      return { claims: { role, exp: Math.floor(Date.now() / 1000) + keyLifetimeSeconds } };
    },
    isProjectKey: (key) => roleOf(key) !== undefined,
  };
}

async function verify(token: string, secret: Uint8Array): Promise<TokenVerdict> {
  try {
    if (decodeProtectedHeader(token).alg !== "HS256") return refused("JwtSignerError", signerMessage);
  } catch {
    return refused("MalformedJWT", "The token provided is not a valid JWT");
  }
  try {
    const { payload } = await jwtVerify(token, secret, { algorithms: ["HS256"] });
    const claims = claimsSchema.safeParse(payload);
    if (claims.success) return { claims: claims.data };
    return refused("InvalidJWTToken", "Fields `role` and `exp` are required in JWT");
  } catch (error) {
    if (error instanceof errors.JWTExpired) {
      const seconds = Math.floor(Date.now() / 1000) - Number(error.payload.exp);
      return refused("InvalidJWTToken", `Token has expired ${seconds} seconds ago`);
    }
    if (error instanceof errors.JWSSignatureVerificationFailed) {
      return refused("JwtSignatureError", "Failed to validate JWT signature");
    }
    if (error instanceof errors.JWTClaimValidationFailed) {
      return refused("InvalidJWTToken", "Fields `role` and `exp` are required in JWT");
    }
    if (error instanceof errors.JOSEError) {
      return refused("MalformedJWT", "The token provided is not a valid JWT");
    }
    throw error;
  }
}

const signerMessage = "Failed to generate JWT signer, check your JWT secret or JWKS configuration";

function refused(code: TokenRefusal["code"], message: string): TokenVerdict {
  return { refusal: { code, message } };
}

function sameText(a: string, b: string): boolean {
  // Hashed first, because timingSafeEqual wants equal lengths.
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}
