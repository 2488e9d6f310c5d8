/** Filled in with the notifications. */
export function Bell() {
  return null;
}
