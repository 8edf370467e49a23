/** Loads what is needed late or never: on the first call, and once. */

/**
 * Answers a function that calls `load` when it is first called; callers at the
 * same time and later ones share the result. A load that failed is not kept:
 * its callers get the failure, and the next call loads again.
 */
export function loadOnce<Value>(
  load: () => Promise<Value>,
): () => Promise<Value> {
  let loaded: Promise<Value> | undefined;
  return () => {
    loaded ??= load().catch((error: unknown) => {
      loaded = undefined;
      throw error;
    });
    return loaded;
  };
}
