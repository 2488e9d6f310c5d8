/** Not written yet. */
export default function PlayerPage() {
  return <h1 tabIndex={-1}>Player</h1>;
}
