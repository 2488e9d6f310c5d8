import { decodeJwt, SignJWT } from "jose";
import { z } from "zod";

const session = z.looseObject({
  access_token: z.string(),
  user: z.looseObject({
    phone: z.string().nullish(),
    app_metadata: z.record(z.string(), z.unknown()).default({}),
    user_metadata: z.record(z.string(), z.unknown()).default({}),
    is_anonymous: z.boolean().default(false),
  }),
});

/**
 * Gives a session's access token the claims that hosted's tokens have and lite's leave out (iss, phone, app_metadata,
 * user_metadata, aal, amr, is_anonymous), so that policies may read them here too. Any other body is given back as it is.
 *
 * @param body the JSON that Auth answers
 * @param issuer `{project url}/auth/v1`
 */
export async function withHostedClaims(body: unknown, issuer: string, jwtSecret: string): Promise<unknown> {
  const parsed = session.safeParse(body);
  if (!parsed.success) return body;
  const { access_token, user } = parsed.data;
  const claims = decodeJwt(access_token);
  const token = await new SignJWT({
    iss: issuer,
    ...claims,
    phone: user.phone ?? "",
    app_metadata: user.app_metadata,
    user_metadata: user.user_metadata,
    aal: "aal1",
    amr: [{ method: "password", timestamp: claims.iat }],
    is_anonymous: user.is_anonymous,
  })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .sign(new TextEncoder().encode(jwtSecret));
  return { ...parsed.data, access_token: token };
}
