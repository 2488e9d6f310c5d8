import { readFile } from "node:fs/promises";
import { decodeJwt, SignJWT } from "jose";
import type { Page } from "playwright-core";
import { z } from "zod";
import { keysFileOf, keysSchema } from "../../../local/stack/keys.ts";
import type { Person } from "../../integration/people.ts";
import { eventually } from "../../integration/watching.ts";
import type { PortalUnderTest } from "../portal-under-test.ts";

/** A person's access token as Auth would have given it if tokens lived this long: it ends `seconds` from now. */
export async function tokenThatEnds(
  { stack }: PortalUnderTest,
  { accessToken }: Person,
  seconds: number,
): Promise<{ accessToken: string; endsAtMs: number }> {
  const { jwtSecret } = keysSchema.parse(JSON.parse(await readFile(keysFileOf(stack.dataDir), "utf8")));
  const exp = Math.floor(Date.now() / 1000) + seconds;
  const token = await new SignJWT({ ...decodeJwt(accessToken), exp })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .sign(new TextEncoder().encode(jwtSecret));
  return { accessToken: token, endsAtMs: exp * 1000 };
}

const frame = z.union([
  z.tuple([z.unknown(), z.unknown(), z.string(), z.string(), z.unknown()]),
  z
    .object({ topic: z.string(), event: z.string(), payload: z.unknown() })
    .transform(({ topic, event, payload }) => [null, null, topic, event, payload] as const),
]);

/** What Realtime says to a page from now on, one line each: topic, event, and what came with it. */
export function listenToRealtime(page: Page): string[] {
  const heard: string[] = [];
  page.on("websocket", (socket) => {
    if (!new URL(socket.url()).pathname.includes("/realtime/")) return;
    socket.on("framereceived", ({ payload }) => {
      const read = frame.safeParse(JSON.parse(String(payload)));
      if (read.success) heard.push(`${read.data[2]} ${read.data[3]} ${JSON.stringify(read.data[4])}`);
    });
  });
  return heard;
}

/** Makes the page believe that its session is about to end, and come back online: it renews it, and nothing is seen of that. */
export async function renewSession(page: Page): Promise<void> {
  const stored = "JSON.parse(localStorage['portal-session'])";
  // Two access tokens made within one second are the same text; a refresh token is used once.
  const before = await page.evaluate(`${stored}.refresh_token`);
  await page.evaluate(
    `{ const s = ${stored}; s.expires_at = 1; localStorage['portal-session'] = JSON.stringify(s); window.dispatchEvent(new Event('online')); }`,
  );
  await eventually(async () => (await page.evaluate(`${stored}.refresh_token`)) !== before, true);
}
