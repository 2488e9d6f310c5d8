/** The path that a sign-in returns to; home for anything that is no path of this portal. */
export function returnPathOf(search: string): string {
  const to = new URLSearchParams(search).get("to");
  if (to === null || !to.startsWith("/") || /^\/[/\\]/.test(to) || to.startsWith("/sign-in")) return "/";
  return to;
}
