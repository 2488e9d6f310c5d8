/** RTP clock ticks per second. */
export const clockRates = { microphone: 48_000, camera: 90_000, screen: 90_000 } as const;
