/** A request for messages, that may wait for the first one. */

import type { Clock, Timer } from "../ports/clock.ts";
import type { MessageLease } from "../ports/message-queue-store.ts";
import type { Consumer } from "./waiting-consumers.ts";

export interface MessagePollPorts {
  readonly clock: Pick<Clock, "setTimer">;
  /** It was answered before: nobody gets these. */
  readonly giveBack: (leases: readonly MessageLease[]) => void;
  /** It waits no more. */
  readonly onEnd: (poll: MessagePoll) => void;
}

export interface MessagePollOptions {
  readonly max: number;
  readonly leaseMs: number;
  /** 0: it does not wait. */
  readonly waitMs: number;
  /** An abort ends it. */
  readonly signal: AbortSignal | undefined;
}

/** Waits from the start. Thousands of them may, so each has one timer and is small. */
export class MessagePoll implements Consumer {
  readonly wanted: number;
  readonly leaseMs: number;
  readonly #ports: MessagePollPorts;
  readonly #signal: AbortSignal | undefined;
  readonly #timer: Timer | undefined;
  readonly #end = () => this.#settle([]);
  readonly #settled = Promise.withResolvers<readonly MessageLease[]>();
  #isOpen = true;

  constructor(ports: MessagePollPorts, options: MessagePollOptions) {
    const { max, leaseMs, waitMs, signal } = options;
    this.wanted = max;
    this.leaseMs = leaseMs;
    this.#ports = ports;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#end, { once: true });
    if (waitMs > 0) this.#timer = ports.clock.setTimer(waitMs, this.#end);
  }

  /**
   * What it got; nothing when its time is over, its signal is aborted or it was
   * ended. Rejects with the store's error.
   */
  get leases(): Promise<readonly MessageLease[]> {
    return this.#settled.promise;
  }

  /** It waits, other than one that only asks whether there is something now. */
  get isWaiting(): boolean {
    return this.#timer !== undefined;
  }

  take(leases: readonly MessageLease[]): void {
    if (this.#isOpen) this.#settle(leases);
    else this.#ports.giveBack(leases);
  }

  onNothing(): void {
    if (!this.isWaiting) this.end();
  }

  onFailure(error: unknown): void {
    if (this.#close()) this.#settled.reject(error);
  }

  /** Answers with nothing. */
  end(): void {
    this.#end();
  }

  #settle(leases: readonly MessageLease[]): void {
    if (this.#close()) this.#settled.resolve(leases);
  }

  #close(): boolean {
    if (!this.#isOpen) return false;
    this.#isOpen = false;
    this.#timer?.cancel();
    this.#signal?.removeEventListener("abort", this.#end);
    this.#ports.onEnd(this);
    return true;
  }
}
