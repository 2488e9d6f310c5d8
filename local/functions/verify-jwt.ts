import { decodeProtectedHeader, jwtVerify } from "jose";
import { type PlatformAnswer, platformAnswers } from "./platform-answers.ts";

/**
 * The platform's `verify_jwt` check: takes the `Authorization` header and the project's JWT secret (UTF-8 bytes are
 * the HS256 key) and gives the refusal, or undefined where the request may pass.
 *
 * An `sb_…` key is not a token and is refused: the sources disagree on whether hosted lets it through, and code that
 * works under the stricter reading works under both.
 */
export async function refusalOfToken(
  authorization: string | undefined,
  jwtSecret: string,
): Promise<PlatformAnswer | undefined> {
  if (!authorization) return platformAnswers.noAuthorization;
  const token = /^Bearer\s+(\S+)$/i.exec(authorization)?.[1];
  if (!token) return platformAnswers.notAToken;
  let algorithm: string | undefined;
  try {
    algorithm = decodeProtectedHeader(token).alg;
  } catch {
    return platformAnswers.notAToken;
  }
  // The local project signs with its secret only, so no asymmetric token can be one of its own.
  if (algorithm === "ES256" || algorithm === "RS256") return platformAnswers.badAsymmetricToken;
  if (algorithm !== "HS256") return platformAnswers.unknownAlgorithm;
  try {
    await jwtVerify(token, new TextEncoder().encode(jwtSecret), { algorithms: ["HS256"] });
    return undefined;
  } catch {
    return platformAnswers.badLegacyToken;
  }
}
