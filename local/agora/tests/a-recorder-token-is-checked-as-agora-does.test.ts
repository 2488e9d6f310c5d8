import { expect, test } from "vitest";
import { tokenExpired, tokenInvalid, verifyRtcToken } from "../rtc-token.ts";
import { rtcToken } from "./stage.ts";

// Agora's published unit-test values.
const vector = {
  appId: "970CA35de60c44645bbae8a215061b33",
  appCertificate: "5CFd2fd1755d40ecb72977518be15d3b",
  channel: "7d72365eb983485397e3e3f9d460bdda",
  uid: "2882341273",
  nowMs: 1_111_112_000,
};
const forUid =
  "007eJxTYBBbsMMnKq7p9Hf/HcIX5kce9b518kCiQgSr5Zrp4X1Tu6UUGCzNDZwdjU1TUs0Mkk1MzExMk5ISUy0SjQxNDcwMk4yN3b8IMEQwMTAwMoAwBIL4CgzmKeZGxmamqUmWFsYmFqbGluapxqnGaZYpJmYGSSkpiVwMRhYWRsYmhkbmxgDCaiTj";
const forAnyUid =
  "007eJxTYLhzZP08Lxa1Pg57+TcXb/3cZ3wi4V6kbpbOog0G2dOYk20UGCzNDZwdjU1TUs0Mkk1MzExMk5ISUy0SjQxNDcwMk4yN3b8IMEQwMTAwMoAwBIL4CgzmKeZGxmamqUmWFsYmFqbGluapxqnGaZYpJmYGSSkpiQwMADacImo=";
const allPrivileges =
  "007eJxTYDhuGCT90E3Yo2+N3efJV5hX1K1MZAqae/Sa8UP9VXvOhfArMFiaGzg7GpumpJoZJJuYmJmYJiUlplokGhmaGpgZJhkbu38RYIhgYmBgZABhRgYWBkYwnwlMMoNJFjCpwGCeYm5kbGaammRpYWxiYWpsaZ5qnGqcZpliYmaQlJKSyMVgZGFhZGxiaGRuDACosyXL";

test("Agora's published tokens are valid until issue time plus validity", () => {
  for (const token of [forUid, forAnyUid, allPrivileges]) {
    expect(verifyRtcToken(token, vector)).toEqual({ ok: true, expiresAtMs: (1_111_111 + 600) * 1000 });
  }
});

test("a token is expired from its last second on", () => {
  const last = (1_111_111 + 600) * 1000;
  expect(verifyRtcToken(forUid, { ...vector, nowMs: last - 1 })).toMatchObject({ ok: true });
  expect(verifyRtcToken(forUid, { ...vector, nowMs: last })).toMatchObject({ ok: false, code: tokenExpired });
});

test("a token for any uid admits every uid, one for a uid only that one", () => {
  expect(verifyRtcToken(forAnyUid, { ...vector, uid: "7" })).toMatchObject({ ok: true });
  expect(verifyRtcToken(forUid, { ...vector, uid: "7" })).toMatchObject({ ok: false, code: tokenInvalid });
});

test.each([
  ["another channel", { channel: "7d72365eb983485397e3e3f9d460bddb" }],
  ["another App ID", { appId: "970CA35de60c44645bbae8a215061b34" }],
  ["another App Certificate", { appCertificate: "5CFd2fd1755d40ecb72977518be15d3c" }],
])("a token for %s is invalid", (_what, changed) => {
  expect(verifyRtcToken(forUid, { ...vector, ...changed })).toMatchObject({ ok: false, code: tokenInvalid });
});

test.each([
  ["no token", undefined],
  ["an empty token", ""],
  ["the old format", `006${forUid.slice(3)}`],
  ["one that was cut", forUid.slice(0, 60)],
  ["one with a changed byte", `${forUid.slice(0, 40)}A${forUid.slice(41)}`],
  ["text", "007not a token"],
])("%s is invalid, and nothing is thrown", (_what, token) => {
  expect(verifyRtcToken(token, vector)).toMatchObject({ ok: false, code: tokenInvalid });
});

test("a validity of more than 24 hours counts as 24 hours", () => {
  const issuedAt = 1_700_000_000;
  const appId = "970ca35de60c44645bbae8a215061b33";
  const appCertificate = "5cfd2fd1755d40ecb72977518be15d3b";
  const token = rtcToken({ cname: "room", uid: "5", appId, appCertificate, issuedAt, expire: 1_000_000 });
  const wanted = { appId, appCertificate, channel: "room", uid: "5", nowMs: issuedAt * 1000 };
  expect(verifyRtcToken(token, wanted)).toEqual({ ok: true, expiresAtMs: (issuedAt + 86_400) * 1000 });
});
