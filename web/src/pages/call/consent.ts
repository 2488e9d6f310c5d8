const name = "portal-agreed-recordings";

/** Which recordings this person has agreed to in this tab: a reload does not ask again. */
export function hasAgreed(recordingId: string): boolean {
  return read().includes(recordingId);
}

export function agree(recordingId: string): void {
  try {
    sessionStorage.setItem(name, JSON.stringify([...read(), recordingId].slice(-20)));
  } catch {
    // Then it is asked again after a reload.
  }
}

function read(): string[] {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(name) ?? "[]");
    return Array.isArray(kept) ? kept.filter((id) => typeof id === "string") : [];
  } catch {
    return [];
  }
}
