/** The names under which the cache keeps what the server said; one place, so that who writes and who reads agree. */
export const keys = {
  mentorships: ["mentorships"] as const,
  calls: ["calls"] as const,
  call: (id: string) => ["call", id] as const,
  recording: (id: string) => ["recording", id] as const,
  recordingCard: (id: string) => ["recording-card", id] as const,
  /** All lists of cards; a list adds its mentorship and what is asked for of it. */
  recordingCards: ["recording-cards"] as const,
  recordingCardsOf: (mentorshipId: string, order: object) =>
    ["recording-cards", mentorshipId, order] as const,
  recentRecordings: ["recent-recordings"] as const,
  notifications: ["notifications"] as const,
  isAdministrator: ["is-administrator"] as const,
  alerts: ["alerts"] as const,
};
