/**
 * Waits until a message is fanned out, for publishers that are told how many it
 * went to. A wait looks at the store whenever this engine finished a range of the
 * message, and now and then besides, for other engines finish ranges too.
 */

import type { MessageId, ProjectId } from "../ids.ts";
import type { Clock } from "../ports/clock.ts";
import type { MessageReader, MessageReport } from "../ports/message-store.ts";

export interface FanOutWaitOptions {
  /** Longest wait, in milliseconds. */
  readonly withinMs: number;
  /** An abort ends the wait; the message goes on. */
  readonly signal?: AbortSignal | undefined;
}

/** How long a wait goes on without a look at the store; milliseconds. */
const lookEveryMs = 250;

/** The waits of one engine. */
export class FanOutWaits {
  readonly #store: Pick<MessageReader, "findMessage">;
  readonly #clock: Clock;
  readonly #waits = new Map<MessageId, Set<Wait>>();
  #isOpen = true;

  constructor(ports: {
    readonly store: Pick<MessageReader, "findMessage">;
    readonly clock: Clock;
  }) {
    this.#store = ports.store;
    this.#clock = ports.clock;
  }

  /**
   * Answers the message as it stands once it is fanned out, or once the wait is
   * over. One that begins later, or that was cancelled, is not waited for. Never
   * rejects, for the message is accepted: while the store cannot be read it waits
   * on, and answers in the end what was last known.
   */
  async until(
    projectId: ProjectId,
    id: MessageId,
    { withinMs, signal }: FanOutWaitOptions,
  ): Promise<MessageReport | undefined> {
    const clock = this.#clock;
    const end = clock.monotonic() + withinMs;
    const wait = new Wait(clock);
    const wake = () => wait.wake();
    this.#add(id, wait);
    signal?.addEventListener("abort", wake, { once: true });
    let report: MessageReport | undefined;
    try {
      for (;;) {
        // Before the look: what is finished while the store answers is not missed.
        wait.clear();
        let isUnderWay = true;
        try {
          report = await this.#store.findMessage(projectId, id);
          isUnderWay = this.#isUnderWay(report);
        } catch {
          // Who looks after the store logs it.
        }
        const leftMs = end - clock.monotonic();
        const isOver = leftMs <= 0 || !this.#isOpen || signal?.aborted;
        if (isOver || !isUnderWay) return report;
        await wait.next(Math.min(lookEveryMs, leftMs));
        await clock.nextTurn();
      }
    } finally {
      signal?.removeEventListener("abort", wake);
      this.#remove(id, wait);
    }
  }

  /** A range of the message was finished here. */
  onFinished(id: MessageId): void {
    for (const wait of this.#waits.get(id) ?? []) wait.wake();
  }

  /** Ends all waits, and those that begin later at once. Idempotent. */
  end(): void {
    this.#isOpen = false;
    for (const id of this.#waits.keys()) this.onFinished(id);
  }

  #isUnderWay(report: MessageReport | undefined): boolean {
    if (report === undefined || report.fannedOut) return false;
    const { notBefore } = report.message;
    return (
      report.cancellation === undefined &&
      (notBefore === undefined || notBefore <= this.#clock.now())
    );
  }

  #add(id: MessageId, wait: Wait): void {
    const waits = this.#waits.get(id) ?? new Set();
    this.#waits.set(id, waits.add(wait));
  }

  #remove(id: MessageId, wait: Wait): void {
    const waits = this.#waits.get(id);
    waits?.delete(wait);
    if (waits?.size === 0) this.#waits.delete(id);
  }
}

/** Level-triggered: woken before it waits, it does not wait. */
class Wait {
  readonly #clock: Pick<Clock, "setTimer">;
  #isWoken = false;
  #resolve = (): void => {};

  constructor(clock: Pick<Clock, "setTimer">) {
    this.#clock = clock;
  }

  clear(): void {
    this.#isWoken = false;
  }

  wake(): void {
    this.#isWoken = true;
    this.#resolve();
  }

  /** Resolves when it is woken, or after `ms` milliseconds. */
  async next(ms: number): Promise<void> {
    if (this.#isWoken) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#resolve = resolve;
    const timer = this.#clock.setTimer(ms, resolve);
    await promise;
    timer.cancel();
  }
}
