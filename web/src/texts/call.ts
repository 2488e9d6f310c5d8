/** What the call page says. */
export const call = {
  title: (partner: string) => (partner ? `Call with ${partner}` : "Call"),
  partner: (name: string) => name || "the other person",
  you: "You",
  backToOverview: "Back to overview",
  recordings: "Recordings",

  // Before the call
  getReady: "Check your camera and microphone, then join.",
  join: "Join call",
  joining: "Joining …",
  joinWhileRecorded: "Join and agree",
  preview: "Your own picture",
  cameraIsOff: "Your camera is off",
  microphoneIsOff: "Your microphone is off",
  loudness: "Loudness of your microphone",
  speakToTest: "Say something: the bar should move.",
  someoneIsIn: (name: string) => `${name} is in the call.`,
  nobodyIsIn: "Nobody is in the call yet.",
  ended: "This mentorship has ended: calls can be looked back on, but not held.",
  consentBefore: (name: string) =>
    `This call is being recorded. Picture and sound of everybody in it are kept, for ${name} and you only. Whoever joins agrees.`,
  noDevices: "Your browser does not let this page use a camera or a microphone.",
  deviceRefused: (kind: string) =>
    `Your browser does not let this page use the ${kind}. Allow it beside the address, then switch it on again.`,
  deviceMissing: (kind: string) => `No ${kind} was found. Plug one in, then switch it on again.`,
  deviceBusy: (kind: string) => `The ${kind} is used by another program. Close that, then switch it on again.`,

  // Devices
  camera: "Camera",
  microphone: "Microphone",
  screen: "Share screen",
  devices: "Devices",
  unnamedCamera: (number: number) => `Camera ${number}`,
  unnamedMicrophone: (number: number) => `Microphone ${number}`,

  // In the call
  leave: "Leave call",
  people: "Who is here",
  isHere: "in the call",
  isNotHere: "not here",
  waitingFor: (name: string) => `Waiting for ${name}`,
  waitingHint: "They see this call on their overview.",
  isMuted: "microphone off",
  pictureOf: (name: string) => `Picture of ${name}`,
  screenOf: (name: string) => `Screen of ${name}`,
  yourScreen: "You are sharing your screen.",
  screenReplacesCamera: "While you share your screen, it takes the place of your camera.",
  stopSharing: "Stop sharing",
  reconnecting: "The connection was lost. Connecting again …",
  soundBlocked: "Your browser keeps the sound off until you say so.",
  hear: "Tap to hear",
  offline: "You are offline.",
  quality: {
    sending: { poor: "Your connection is weak: others may see you stutter.", bad: "Your connection is very weak. Switch your camera off to keep the sound." },
    receiving: { poor: "The picture of others may stutter: your connection is weak.", bad: "Hardly anything arrives: your connection is very weak." },
  },
  mutedButSpeaking: "You are speaking, but your microphone is off.",
  over: { local: "Over the media server of this machine", agora: "Over Agora" },
  overShort: { local: "Local media server", agora: "Agora" },

  // After the call
  left: "You have left the call",
  leftText: (name: string) => `${name} is still in it.`,
  callEnded: "The call has ended",
  callEndedText: "What was recorded appears among the recordings as soon as it is saved.",
  joinAgain: "Join again",
  startNew: "Start a new call",
  endForBoth: "End the call for both",
  couldNotJoin: "You could not join",
  wasLost: "The call was lost",

  // Recording
  record: "Start recording",
  stop: "Stop recording",
  cancel: "Cancel recording",
  recordingOptions: "Recording options",
  qualityLabel: "Quality",
  layoutLabel: "Layout",
  qualities: { audio: "Sound only", "480p": "480p, small", "720p": "720p, usual", "1080p": "1080p, large" } as Record<string, string>,
  layouts: { best_fit: "Everybody the same size", floating: "One large, others over it", vertical: "One large, others beside it" } as Record<
    string,
    string
  >,
  optionsApply: "They hold for the next recording.",
  indicator: {
    starting: "Starting recording",
    queued: "Waiting for a recorder",
    recording: "Recording",
    stopping: "Stopping recording",
  },
  queuePlace: (place: number) => `place ${place} in the queue`,
  note: {
    processing: "The recording is being saved.",
    transferring: (percent: number) => `The recording is being saved: ${percent} %.`,
    recorded: "The recording is there.",
    failed: "The recording failed.",
    watch: "Watch it",
  },
  /** Told once to screen readers. */
  said: {
    starting: "A recording is starting.",
    queued: "The recording waits for a free recorder.",
    recording: "This call is being recorded.",
    stopping: "The recording is stopping.",
    processing: "The recording has stopped and is being saved.",
    recorded: "The recording is there.",
    failed: "The recording failed.",
    expired: "",
    none: "",
  },
  consentTitle: "This call is being recorded",
  consentText: (name: string) =>
    `${name} has started a recording. Picture and sound of everybody in the call are kept, for the two of you only.`,
  consentStay: "Continue",
} as const;

/** One sentence and one next step for what only a call can answer with. */
export const callTroubles: Record<string, { sentence: string; action: string }> = {
  connection_lost: { sentence: "The connection for picture and sound was lost.", action: "Check your network, then join again." },
  media_failed: { sentence: "Picture and sound could not be set up.", action: "Join again; if it stays so, restart your browser." },
  media_lost: { sentence: "The connection for picture and sound was lost.", action: "Check your network, then join again." },
  join_timed_out: { sentence: "The media server did not answer in time.", action: "Check your network, then join again." },
  join_failed: { sentence: "The media server could not be reached.", action: "Check your network, then join again." },
  join_refused: { sentence: "The media server refused to let you in.", action: "Join again; if it stays so, tell whoever runs this portal." },
  joined_elsewhere: { sentence: "You have joined this call in another window.", action: "Go on there, or join again here." },
  replaced: { sentence: "You have joined this call in another window.", action: "Go on there, or join again here." },
  removed: { sentence: "You were removed from this call.", action: "Ask the other person." },
  channel_full: { sentence: "The call is full.", action: "Wait until somebody leaves, then join again." },
  token_expired: { sentence: "Your permission to join has run out.", action: "Join again." },
  credentials_missing: { sentence: "The permission to join could not be renewed.", action: "Check your network, then join again." },
  browser_unsupported: { sentence: "This browser cannot hold calls.", action: "Use a current Chrome, Edge, Firefox or Safari." },
  transport_missing: { sentence: "This portal is set up for a kind of call that it does not know.", action: "Tell whoever runs this portal." },
  address_missing: { sentence: "This portal does not say where calls are held.", action: "Tell whoever runs this portal." },
  licence_refused: { sentence: "Agora refused this portal's licence.", action: "Tell whoever runs this portal." },
};
