import { inflateSync } from "node:zlib";
import agoraToken from "agora-token";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { verifyRtcToken } from "../../../local/agora/rtc-token.ts";
import { buildRtcToken } from "../../../supabase/functions/_shared/agora/token.ts";

/*
 * Agora's own builder is the peer. It draws time and salt itself, so they are read out of its token and given to ours; then
 * every signed byte must be the same. (Which compressed bytes come out depends on the zlib in use, so they are inflated.)
 */

const hex32 = fc.stringMatching(/^[0-9a-f]{32}$/);
const channel = fc.stringMatching(/^[A-Za-z0-9 !#$%&()+\-:;<=.>?@[\]^_{}|~,]{1,63}$/);
const uid = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 4_294_967_295 }));
const seconds = fc.integer({ min: 1, max: 86_400 });
const roles = { publisher: agoraToken.RtcRole.PUBLISHER, subscriber: agoraToken.RtcRole.SUBSCRIBER } as const;
const role = fc.constantFrom("publisher" as const, "subscriber" as const);

/** signature, App ID, then the time and the salt: all integers little-endian. */
function read(token: string) {
  const bytes = inflateSync(Buffer.from(token.slice(3), "base64"));
  const afterAppId = 2 + bytes.readUInt16LE(0) + 2 + 32;
  return {
    hex: bytes.toString("hex"),
    issuedAtSeconds: bytes.readUInt32LE(afterAppId),
    salt: bytes.readUInt32LE(afterAppId + 8),
  };
}

describe("a token of ours beside one of Agora's builder", () => {
  test("holds the same signed bytes for every App ID, channel, uid, role and validity", async () => {
    await fc.assert(
      fc.asyncProperty(
        hex32,
        hex32,
        channel,
        uid,
        role,
        seconds,
        async (appId, certificate, name, id, as, life) => {
          const theirs = agoraToken.RtcTokenBuilder.buildTokenWithUid(
            appId,
            certificate,
            name,
            id,
            roles[as],
            life,
            life,
          );
          const { hex, issuedAtSeconds, salt } = read(theirs);
          const ours = await buildRtcToken({
            appId,
            appCertificate: certificate,
            channel: name,
            uid: id,
            role: as,
            expiresInSeconds: life,
            issuedAtSeconds,
            salt,
          });
          expect(ours.slice(0, 3)).toBe(theirs.slice(0, 3));
          expect(read(ours).hex).toBe(hex);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("is taken by the stand-in's media servers just like Agora's", async () => {
    const account = { appId: "a".repeat(32), appCertificate: "b".repeat(32) };
    const theirs = agoraToken.RtcTokenBuilder.buildTokenWithUid(
      account.appId,
      account.appCertificate,
      "room",
      4_000_000_001,
      agoraToken.RtcRole.SUBSCRIBER,
      600,
      600,
    );
    const { issuedAtSeconds, salt } = read(theirs);
    const ours = await buildRtcToken({
      ...account,
      channel: "room",
      uid: 4_000_000_001,
      role: "subscriber",
      expiresInSeconds: 600,
      issuedAtSeconds,
      salt,
    });
    const wanted = { ...account, channel: "room", uid: "4000000001", nowMs: issuedAtSeconds * 1000 };
    for (const token of [theirs, ours]) {
      expect(verifyRtcToken(token, wanted)).toEqual({
        ok: true,
        expiresAtMs: (issuedAtSeconds + 600) * 1000,
      });
    }
  });

  test("is refused where Agora's builder gives an empty text without a word", async () => {
    const [appId, appCertificate] = ["a".repeat(31), "b".repeat(32)];
    expect(
      agoraToken.RtcTokenBuilder.buildTokenWithUid(
        appId,
        appCertificate,
        "room",
        1,
        agoraToken.RtcRole.SUBSCRIBER,
        60,
        60,
      ),
    ).toBe("");
    const request = {
      channel: "room",
      uid: 1,
      role: "subscriber",
      expiresInSeconds: 60,
      issuedAtSeconds: 1,
      salt: 1,
    } as const;
    await expect(buildRtcToken({ appId, appCertificate, ...request })).rejects.toThrow(
      "engine_settings_invalid",
    );
  });
});
