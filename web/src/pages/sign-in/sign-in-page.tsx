/** Not written yet. */
export default function SignInPage() {
  return <h1 tabIndex={-1}>SignIn</h1>;
}
