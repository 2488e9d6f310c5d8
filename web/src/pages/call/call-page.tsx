/** Not written yet. */
export default function CallPage() {
  return <h1 tabIndex={-1}>Call</h1>;
}
