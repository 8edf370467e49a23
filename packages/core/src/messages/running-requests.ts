/**
 * Requests with an idempotency key that this process is carrying out. The second
 * of two with one key does not wait for the first, which may hang: it is told to
 * come again. Between processes the store decides, see `acceptOnce`.
 */

import { CarillonError } from "../errors.ts";
import { checkRepeated, type IdempotentRequest } from "./idempotency-key.ts";

export class RunningRequests {
  readonly #running = new Map<string, IdempotentRequest>();

  /**
   * Does what a request asks for.
   *
   * @throws CarillonError IDEMPOTENCY_KEY_RUNNING, IDEMPOTENCY_KEY_REUSED when the
   * one that runs is another; then nothing was done
   */
  async run<Result>(
    request: IdempotentRequest,
    work: () => Promise<Result>,
  ): Promise<Result> {
    // Project ids have one length, so that no two keys meet.
    const key = request.projectId + request.key;
    const running = this.#running.get(key);
    if (running) {
      checkRepeated(request, running);
      throw new CarillonError(
        "IDEMPOTENCY_KEY_RUNNING",
        "The first request with this Idempotency-Key has not ended yet: send it again in a moment, with the same key.",
      );
    }
    this.#running.set(key, request);
    try {
      return await work();
    } finally {
      this.#running.delete(key);
    }
  }
}
