/** Copies of what is stored elsewhere, read anew when they may be out of date. */

/**
 * Answers a function that has `load` run once from now on, and resolves when it
 * has: calls at the same time share a run, but none shares one that began before
 * it, which may have read too early. Runs follow each other, so the last one to
 * end has read the latest. A run that fails fails its callers alone.
 */
export function createReload(load: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  /** Has not begun yet. */
  let next: Promise<void> | undefined;
  return () => {
    if (next) return next;
    const begun = running
      .catch(() => {})
      .then(() => {
        next = undefined;
        return load();
      });
    next = begun;
    running = begun;
    return begun;
  };
}
