/** Not written yet. */
export default function RecordingsPage() {
  return <h1 tabIndex={-1}>Recordings</h1>;
}
