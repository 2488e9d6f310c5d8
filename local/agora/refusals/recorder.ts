import { from, type RefusalRule } from "./refusal.ts";

const token = (what: string, errorCode: 101 | 109 | 110) => ({
  what,
  source: from("events"),
  answer: { event: { module: 0 as const, errorCode } },
});

/** What start answers 200 to, and what comes by event seconds later: the recorder cannot join, or cannot store. */
export const recorderRefusals = {
  "recorder.token_missing": token("no token, though the App Certificate is on", 110),
  "recorder.token_unreadable": token("a token that is no AccessToken2", 110),
  "recorder.token_of_another_app": token("a token of another App ID", 110),
  "recorder.token_signature": token("a token that another App Certificate signed", 110),
  "recorder.token_without_rtc": token("a token without a service for calls", 110),
  "recorder.token_channel": token("a token for another channel", 110),
  "recorder.token_uid": token("a token for another uid", 110),
  "recorder.token_join": token("a token without the privilege to join", 110),
  "recorder.token_expired": token("a token that has run out", 109),
  "recorder.token_too_long": {
    what: "a token for more than a day, where the service is set to refuse it",
    source: from("tokens", "unconfirmed"),
    answer: { event: { module: 0, errorCode: 110 } },
  },
  "recorder.token_end": {
    what: "to stay in the channel when its token has run out",
    source: from("tokens"),
    answer: { event: { module: 0, errorCode: 109 } },
  },
  "recorder.uid_taken": {
    what: "a uid that somebody in the channel has",
    source: from("bestPractices", "field"),
    answer: { event: null },
  },
  "recorder.storage_endpoint": {
    what: "an endpoint with a scheme, unless the service is set to take it",
    source: from("regionVendor", "unconfirmed"),
    answer: { event: { module: 1, errorCode: 32 } },
  },
  "recorder.storage_elsewhere": {
    what: "a store that is not S3-protocol on this machine",
    source: from("none", "stand-in"),
    answer: { event: { module: 1, errorCode: 32 } },
    isFence: true,
  },
  "recorder.storage_refused": {
    what: "a bucket or keys that the store refuses",
    source: from("events"),
    answer: { event: { module: 1, errorCode: 32 } },
  },
  "recorder.storage_unreachable": {
    what: "a store that does not answer or fails again and again",
    source: from("events"),
    answer: { event: { module: 1, errorCode: 47 } },
  },
} as const satisfies Record<string, RefusalRule>;
