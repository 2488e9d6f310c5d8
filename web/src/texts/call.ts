/** What the call page says. */
export const call = {
  title: (partner: string) => (partner ? `Call with ${partner}` : "Call"),
  partner: (name: string) => name || "the other person",
  you: "You",
  youNote: "you",
  backToOverview: "Back to the home page",
  recordings: "Recordings",

  // Before the call
  getReady: "Check your camera and microphone, then join.",
  join: "Join call",
  joining: "Joining …",
  joinWhileRecorded: "Join call and agree",
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
  deviceBusy: (kind: string) =>
    `The ${kind} is used by another program. Close that, then switch it on again.`,

  youAreElsewhere: "You are in this call in another window; if you join here, that one leaves.",

  // Devices
  chooseCamera: "Which camera",
  chooseMicrophone: "Which microphone",
  camera: "Camera",
  microphone: "Microphone",
  screen: "Share screen",
  devices: "Devices",
  unnamedCamera: (number: number) => `Camera ${number}`,
  unnamedMicrophone: (number: number) => `Microphone ${number}`,

  // In the call
  controls: "Controls of the call",
  screenRefused: "Your browser could not share the screen. Try again, or share another window.",
  leave: "Leave call",
  people: "Who is here",
  isHere: "in the call",
  isNotHere: "not here",
  waitingFor: (name: string) => `Waiting for ${name}`,
  waitingHint: "They see this call on their home page.",
  pictureComes: "Connecting picture and sound …",
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
    sending: {
      poor: "Your connection is weak: others may see you stutter.",
      bad: "Your connection is very weak. Switch your camera off to keep the sound.",
    },
    receiving: {
      poor: "The picture of others may stutter: your connection is weak.",
      bad: "Hardly anything arrives: your connection is very weak.",
    },
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
