/**
 * For code that comes when it is needed: where it cannot come because the network is gone, it waits for the network instead of failing, so
 * that what is shown meanwhile stays. Give it to `lazy`. What fails with a network fails.
 */
export function whenOnline<T>(load: () => Promise<T>): () => Promise<T> {
  return async () => {
    for (;;) {
      try {
        return await load();
      } catch (thrown) {
        if (navigator.onLine) throw thrown;
        await new Promise((done) => window.addEventListener("online", done, { once: true }));
      }
    }
  };
}
