// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { AgoraTransport } from "../src/calls/agora/agora-transport.ts";
import { openTransport } from "../src/calls/open-transport.ts";
import { type CallCredentials, type CallEvents, CallRefusal } from "../src/calls/transport.ts";
import { AgoraStandIn, StagedTrack, track } from "./agora-stand-in.ts";

const credentials: CallCredentials = {
  transport: "agora",
  app_id: "app",
  channel: "room",
  uid: 1001,
  token: "first",
  expires_at: "2026-11-22T12:00:00Z",
  mode: "live",
};

let stage: AgoraStandIn;
let transport: AgoraTransport;
let told: string[];

beforeEach(() => {
  vi.stubGlobal("MediaStreamTrack", StagedTrack);
  stage = new AgoraStandIn();
  transport = make();
});
afterEach(async () => {
  vi.useRealTimers();
  await transport.leave();
  vi.unstubAllGlobals();
});

function make(): AgoraTransport {
  const made = new AgoraTransport(stage.load);
  told = [];
  for (const name of [
    "connection",
    "peer_joined",
    "peer_left",
    "track",
    "track_ended",
    "muted",
    "sound_blocked",
    "quality",
  ] as const) {
    made.on(name, (event: CallEvents[typeof name]) => {
      const words: string[] = [name];
      if ("state" in event) words.push(event.state, event.trouble?.code ?? "");
      if ("peer" in event) words.push(String(event.peer.uid));
      if ("kind" in event) words.push(event.kind);
      if ("muted" in event) words.push(String(event.muted));
      if ("quality" in event) words.push(event.quality.level, event.quality.direction);
      told.push(words.join(" ").trim());
    });
  }
  return made;
}

const sourcesSent = () => stage.client.published.map(({ source }) => source.id);
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

describe("Joining", () => {
  test("goes with the mode, the number and the token of call-token; in live mode as a host, who alone may send", async () => {
    const camera = track("video", "camera");
    await transport.publish("camera", camera);
    await transport.join(credentials, {});
    expect(stage.calls).toEqual(["join app room first 1001"]);
    expect(stage.client.config).toEqual({ mode: "live", codec: "h264", role: "host" });
    expect(sourcesSent()).toEqual(["camera copy"]);
    expect(told).toEqual(["connection connecting", "connection connected"]);
  });

  test("in the communication mode nobody has a role", async () => {
    await transport.join({ ...credentials, mode: "rtc" });
    expect(stage.client.config).toEqual({ mode: "rtc", codec: "h264" });
  });

  test.each([
    ["UID_CONFLICT", "joined_elsewhere", false],
    ["CAN_NOT_GET_GATEWAY_SERVER", "join_refused", true],
    ["TOKEN_EXPIRE", "token_expired", true],
    ["NETWORK_ERROR", "join_failed", true],
  ])("refused with %s is %s", async (code, ours, retry) => {
    stage.refusals.push(code);
    const microphone = track("audio", "microphone");
    await transport.publish("microphone", microphone);
    const refusal = await transport.join(credentials).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(CallRefusal);
    expect(refusal).toMatchObject({ code: ours, retry });
    expect(transport.state).toBe("closed");
    // What the page opened is the page's; the copy is gone.
    expect([microphone.readyState, microphone.copies[0]?.readyState]).toEqual(["live", "ended"]);
  });

  test("a browser that cannot hold calls is told so before anything is tried", async () => {
    stage.isSupported = false;
    await expect(transport.join(credentials)).rejects.toMatchObject({
      code: "browser_unsupported",
      retry: false,
    });
    expect(stage.clients).toEqual([]);
  });

  test("whoever leaves while the join is under way is out afterwards, and has sent nothing", async () => {
    const gate = Promise.withResolvers<void>();
    stage.gate = gate.promise;
    await transport.publish("camera", track("video", "camera"));
    const joining = transport.join(credentials).catch((error: CallRefusal) => error.code);
    await vi.waitFor(() => expect(stage.calls).toHaveLength(1));
    const leaving = transport.leave();
    gate.resolve();
    expect(await joining).toBe("left");
    await leaving;
    await vi.waitFor(() => expect(stage.inChannel.size).toBe(0));
    expect(sourcesSent()).toEqual([]);
  });

  test("whoever comes back at once waits until the first stay has ended, instead of meeting themselves", async () => {
    await transport.join(credentials);
    const before = transport;
    transport = make();
    const [, again] = await Promise.allSettled([before.leave(), transport.join(credentials)]);
    expect(again).toEqual({ status: "fulfilled", value: undefined });
    expect(stage.calls).toEqual(["join app room first 1001", "leave 1001", "join app room first 1001"]);
  });

  test("without an answer it is given up after 15 s", async () => {
    vi.useFakeTimers();
    const gate = Promise.withResolvers<void>();
    stage.gate = gate.promise;
    const joining = transport.join(credentials).catch((error: CallRefusal) => error.code);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(transport.state).toBe("closed");
    gate.resolve();
    await vi.advanceTimersByTimeAsync(100);
    expect(await joining).toBe("join_timed_out");
    expect(stage.inChannel.size).toBe(0);
  });
});

describe("The others", () => {
  test("are subscribed to as they publish; their sound is played by the SDK, their picture is told", async () => {
    await transport.join(credentials);
    const user = stage.client.come(2002, "audio", "video");
    await vi.waitFor(() => expect(told).toContain("track 2002 camera"));
    expect(user.played()).toBe(1);
    expect(transport.trackOf(2002, "camera")?.id).toBe("video of 2002");
    expect(await transport.levels()).toEqual(new Map([[2002, 0.25]]));
    stage.client.tell("user-info-updated", 2002, "mute-audio");
    stage.client.tell("user-unpublished", user, "audio");
    expect(transport.peers[0]?.publications).toEqual({ microphone: "muted", camera: "on", screen: "off" });
    stage.client.tell("user-unpublished", user, "video");
    stage.client.tell("user-left", user, "Quit");
    expect(told.slice(-3)).toEqual([
      "muted 2002 microphone true",
      "track_ended 2002 camera",
      "peer_left 2002",
    ]);
    expect(transport.peers).toEqual([]);
  });

  test("who stops sending before the subscription is through is no error", async () => {
    await transport.join(credentials);
    const user = stage.client.come(2002);
    stage.client.tell("user-published", user, "video");
    await settled();
    expect(transport.trackOf(2002, "camera")).toBeUndefined();
    expect(told).not.toContain("track 2002 camera");
  });

  test("sound that the browser blocks is told, and played after a click", async () => {
    await transport.join(credentials);
    const user = stage.client.come(2002, "audio");
    await vi.waitFor(() => expect(user.played()).toBe(1));
    stage.failAutoplay();
    expect(told).toContain("sound_blocked");
    await transport.resumeSound();
    expect([stage.resumed, user.played()]).toEqual([1, 2]);
  });
});

describe("Sending", () => {
  test("a shared screen takes the camera's place, and gives it back when it ends by itself", async () => {
    await transport.join(credentials);
    await transport.publish("camera", track("video", "camera"));
    await transport.publish("microphone", track("audio", "microphone"));
    const screen = track("video", "screen");
    await transport.publish("screen", screen);
    expect(sourcesSent()).toEqual(["microphone copy", "screen copy"]);
    screen.dispatchEvent(new Event("ended"));
    await vi.waitFor(() => expect(sourcesSent()).toEqual(["microphone copy", "camera copy"]));
  });

  test("muting keeps what is published; another device replaces it and closes the old copy", async () => {
    await transport.join(credentials);
    const [first, second] = [track("audio", "first"), track("audio", "second")];
    await transport.publish("microphone", first);
    await transport.mute("microphone", true);
    expect(stage.client.published[0]?.muted).toBe(true);
    await transport.publish("microphone", second);
    expect(sourcesSent()).toEqual(["second copy"]);
    expect([first.copies[0]?.readyState, first.readyState]).toEqual(["ended", "live"]);
  });

  test("a page that goes away gives devices and channel back", async () => {
    await transport.join(credentials);
    const camera = track("video", "camera");
    await transport.publish("camera", camera);
    globalThis.dispatchEvent(new Event("pagehide"));
    expect(camera.copies[0]?.readyState).toBe("ended");
    await vi.waitFor(() => expect(stage.inChannel.size).toBe(0));
  });
});

describe("A long call", () => {
  const fresh = (token: string): CallCredentials => ({ ...credentials, token });

  test("gets a new token before the old one ends, tries again where that fails, and does not join anew", async () => {
    vi.useFakeTimers();
    const renew = vi
      .fn<() => Promise<CallCredentials>>()
      .mockRejectedValueOnce(new Error("offline"))
      .mockResolvedValue(fresh("second"));
    await transport.join(credentials, { renew });
    stage.client.tell("token-privilege-will-expire");
    // Told twice is asked once.
    stage.client.tell("token-privilege-will-expire");
    await vi.advanceTimersByTimeAsync(1_500);
    expect(stage.client.tokens).toEqual(["first", "second"]);
    expect(renew).toHaveBeenCalledTimes(2);
    expect(stage.calls).toHaveLength(1);
  });

  test("comes back with a new token after the old one has ended, and sends again what it sent", async () => {
    await transport.publish("camera", track("video", "camera"));
    await transport.join(credentials, { renew: async () => fresh("second") });
    stage.client.become("DISCONNECTED", "TOKEN_EXPIRE");
    stage.client.tell("token-privilege-did-expire");
    await vi.waitFor(() => expect(transport.state).toBe("connected"));
    expect(stage.calls.at(-1)).toBe("join app room second 1001");
    expect(sourcesSent()).toEqual(["camera copy"]);
    expect(told).toContain("connection reconnecting connection_lost");
  });

  test("ends where call-token says that the call is over", async () => {
    const over = new CallRefusal({ code: "call_ended", message: "The call has ended.", retry: false });
    await transport.join(credentials, { renew: () => Promise.reject(over) });
    stage.client.tell("token-privilege-will-expire");
    await vi.waitFor(() => expect(told.at(-1)).toBe("connection closed call_ended"));
  });

  test("shows when the SDK connects again, and joins again where it has given up", async () => {
    await transport.join(credentials, { renew: async () => fresh("second") });
    stage.client.become("RECONNECTING");
    expect(transport.state).toBe("reconnecting");
    stage.client.become("CONNECTED");
    expect(transport.state).toBe("connected");
    stage.client.become("DISCONNECTED", "NETWORK_ERROR");
    await vi.waitFor(() => expect(stage.calls).toHaveLength(2));
    expect(stage.calls.at(-1)).toBe("join app room first 1001");
    await vi.waitFor(() => expect(transport.state).toBe("connected"));
  });

  test.each([
    ["UID_CONFLICT", "joined_elsewhere"],
    ["UID_BANNED", "removed"],
    ["LICENSE_EXPIRED", "licence_refused"],
  ])("is over for good where Agora says %s", async (reason, code) => {
    await transport.join(credentials);
    stage.client.become("DISCONNECTED", reason);
    expect(told.at(-1)).toBe(`connection closed ${code}`);
    await settled();
    expect(stage.calls).toHaveLength(1 + (stage.calls.at(-1)?.startsWith("leave") ? 1 : 0));
  });

  test("tells a bad connection once, by its worse direction", async () => {
    await transport.join(credentials);
    const measured = (uplinkNetworkQuality: 0 | 1 | 4 | 6, downlinkNetworkQuality: 0 | 1 | 4 | 6) =>
      stage.client.tell("network-quality", { uplinkNetworkQuality, downlinkNetworkQuality });
    measured(0, 0);
    measured(1, 4);
    measured(1, 4);
    measured(6, 1);
    measured(1, 1);
    expect(told.filter((word) => word.startsWith("quality"))).toEqual([
      "quality poor receiving",
      "quality bad sending",
      "quality good sending",
    ]);
  });
});

test("the answer of call-token decides which transport it is, and nothing else is tried", () => {
  expect(openTransport({ transport: "agora" })).toBeInstanceOf(AgoraTransport);
  expect(() => openTransport({ transport: "carrier pigeon" as "local" })).toThrow(/cannot carry calls over/);
});
