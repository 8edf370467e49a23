/** Waits for others to get done, but not for ever. */

/** Longest time without any progress, in milliseconds. */
export const stallMs = 20_000;

/**
 * Looks again and again until `isDone`; answers what was seen last.
 *
 * @param progress grows as long as the work goes on
 * @throws Error when there was no progress for {@link stallMs}
 */
export async function untilDone<State>(
  what: string,
  look: () => Promise<State>,
  isDone: (state: State) => boolean,
  progress: (state: State) => number,
): Promise<State> {
  let best = Number.NEGATIVE_INFINITY;
  let movedAt = performance.now();
  for (;;) {
    const state = await look();
    if (isDone(state)) return state;
    const now = performance.now();
    if (progress(state) > best) {
      best = progress(state);
      movedAt = now;
    } else if (now - movedAt > stallMs) {
      throw new Error(
        `${what}: no progress for ${stallMs / 1000} s at ${JSON.stringify(state).slice(0, 300)}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
