/** Waits for work that does not take a signal itself. */

/**
 * Settles as `work` does, or rejects with the signal's reason at once when it is
 * aborted before. The work goes on then, and what comes of it is dropped: for
 * work that can be left alone, not for what has to be cleaned up after.
 */
export async function orAborted<Result>(
  work: Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  if (signal === undefined) return await work;
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
