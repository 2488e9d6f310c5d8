/** Not written yet. */
export default function HomePage() {
  return <h1 tabIndex={-1}>Home</h1>;
}
