const plurals = new Intl.PluralRules("en");

/** "1 call", "3 calls". */
function count(n: number, one: string, other: string): string {
  return `${n} ${plurals.select(n) === "one" ? one : other}`;
}

/**
 * Every text of the shell, the home page and the sign-in. Pages that come with code of their own keep theirs beside it: texts/recordings.ts,
 * texts/player.ts, texts/call.ts, texts/alerts.ts.
 */
export const en = {
  product: "Huckleberry",
  skipToContent: "Skip to content",
  close: "Close",
  cancel: "Cancel",
  tryAgain: "Try again",
  goHome: "Go to the home page",
  loading: "Loading…",
  reload: "Reload the page",
  unnamed: "Somebody without a name",

  home: "Home",
  notifications: "Notifications",
  account: (email: string) => `Account of ${email}`,
  themeLight: "Light",
  themeDark: "Dark",
  themeSystem: "As the system",
  signOut: "Sign out",
  alerts: "Alerts",

  offline: "You are offline. What you see may be old; it is brought up to date when you are back.",

  notFoundTitle: "There is no such page",
  notFoundText: "The address is wrong, or what was here is gone.",
  waitingForNetwork: "This page comes as soon as you are online again.",
  partMissingTitle: "This page did not come",
  partMissingText: "The portal cannot be reached. Check your connection, then reload the page.",
  brokenTitle: "This page broke",
  brokenText: "That is our mistake. Reload it; what you did before is saved.",

  signIn: {
    title: "Sign in",
    lead: "Your calls and their recordings, for you and the person you meet.",
    email: "E-mail",
    password: "Password",
    submit: "Sign in",
    discord: "Continue with Discord",
    or: "or",
    emailMissing: "Enter your e-mail address.",
    emailInvalid: "This is no e-mail address.",
    passwordMissing: "Enter your password.",
    expiredTitle: "Sign in again",
    expiredText: "Your session has ended. Nothing on this page is lost.",
    somebodyElse: "Sign in as somebody else",
    discordFailed: "Discord did not sign you in. Try again, or use your password.",
  },

  homePage: {
    greeting: (name: string) => (name === "" ? "Welcome back" : `Welcome back, ${name}`),
    lead: (calls: number) =>
      calls === 0 ? "No call is open." : `${count(calls, "call is", "calls are")} open.`,
    openCalls: "Open now",
    attention: "Needs your attention",
    people: "Your mentorships",
    pastCalls: "Past calls",
    join: "Join the call",
    joinShort: "Join",
    joinWith: (name: string) => `Join the call with ${name}`,
    start: "Start a call",
    startWith: (name: string) => `Start a call with ${name}`,
    recordings: "Recordings",
    recordingsWith: (name: string) => `Recordings with ${name}`,
    watchFrom: (name: string, date: string) => `Watch the recording with ${name} of ${date}`,
    recordingFrom: (name: string, date: string) => `The recording with ${name} of ${date}`,
    myMentor: "Your mentor",
    myMentee: "Your mentee",
    over: "Over",
    overSince: (date: string) => `Over since ${date}`,
    with: (name: string) => `With ${name}`,
    callFailed: "This call failed",
    noLength: "Length unknown",
    noMentorships: "No mentorship yet",
    noMentorshipsText:
      "As soon as you are paired with somebody, they appear here and you can call each other.",
    noCalls: "No calls yet",
    noCallsText: "Start one with somebody above; it appears here when it is over.",
    showMore: "Show more",
    failed: (name: string) => `The recording with ${name} failed`,
    expiring: (name: string, when: string) => `The recording with ${name} is deleted ${when}`,
    keepIt: "Open it to keep it longer or to download it.",
    longProcessing: (name: string) => `The recording with ${name} takes long`,
    longProcessingText:
      "Its files are still on their way. You need not wait here; you are told when it is there.",
    loadingPeople: "Loading your mentorships",
    loadingCalls: "Loading your calls",
  },

  bell: {
    open: (unread: number) =>
      unread === 0 ? "Notifications, none unread" : `Notifications, ${unread} unread`,
    title: "Notifications",
    none: "Nothing yet",
    noneText: "When a recording is there, has failed or is about to expire, you are told here.",
    markAll: "Mark all as read",
    unread: "Unread",
    ready: (name: string) => `Your recording with ${name} is ready`,
    failed: (name: string) => `Your recording with ${name} failed`,
    expiring: (name: string) => `Your recording with ${name} is about to expire`,
    readyText: (duration: string | undefined) =>
      duration === undefined ? "You can watch it now." : `${duration} to watch.`,
    expiringText: (date: string | undefined) =>
      date === undefined
        ? "Keep it longer or download it."
        : `It is deleted on ${date}. Keep it longer or download it.`,
    somebody: "somebody",
    watch: "Watch it",
    look: "Look at it",
  },
} as const;
