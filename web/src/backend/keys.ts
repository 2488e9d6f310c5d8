/** The names under which the cache keeps what the server said; one place, so that who writes and who reads agree. */
export const keys = {
  profile: ["profile"] as const,
  mentorships: ["mentorships"] as const,
  calls: ["calls"] as const,
  call: (id: string) => ["call", id] as const,
  activeCall: (mentorshipId: string) => ["active-call", mentorshipId] as const,
  recording: (id: string) => ["recording", id] as const,
  /** All lists of recordings; a list adds its mentorship and its filter. */
  recordings: ["recordings"] as const,
  recordingsOf: (mentorshipId: string, filter: object = {}) => ["recordings", mentorshipId, filter] as const,
  recentRecordings: ["recent-recordings"] as const,
  notifications: ["notifications"] as const,
};
