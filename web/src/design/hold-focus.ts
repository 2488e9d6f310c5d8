/**
 * Until the person does something, a focus that is lost with what it was on goes to what `find` gives, as soon as that is there: else a
 * screen reader begins at nothing. Gives the function that ends it.
 */
export function holdFocus(find: () => HTMLElement | null | undefined): () => void {
  const look = () => {
    if (document.activeElement === document.body) find()?.focus({ preventScroll: true });
  };
  const observer = new MutationObserver(look);
  const end = () => {
    observer.disconnect();
    document.removeEventListener("keydown", end);
    document.removeEventListener("pointerdown", end);
  };
  observer.observe(document.body, { childList: true, subtree: true });
  document.addEventListener("keydown", end);
  document.addEventListener("pointerdown", end);
  look();
  return end;
}
