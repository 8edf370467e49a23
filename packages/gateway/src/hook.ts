/**
 * An event with asynchronous handlers that run one after another. Reach for it
 * where the emitter must know that every handler succeeded: a carrier is answered
 * "received" only after all of them returned.
 */

import { describeValue } from "./describe-value.ts";
import { ConfigurationError } from "./errors.ts";

/**
 * Is called with each value; the emitter fails when it throws or rejects. A
 * promise it returns is waited for, anything else is not looked at.
 */
export type HookHandler<T> = (value: T) => unknown;

/** When a handler is removed again. */
export interface HookAddOptions {
  /** Removes the handler when aborted. */
  readonly signal?: AbortSignal;
}

/** When an iteration ends, and how far it may fall behind. */
export interface HookIterateOptions {
  /** Ends the iteration, without an error, when aborted. */
  readonly signal?: AbortSignal;
  /** Values kept for a slow reader before the iteration fails. 10,000. */
  readonly maxBuffered?: number;
}

/** The reader of `Hook.iterate` fell too far behind. */
export class HookOverflowError extends Error {
  static {
    HookOverflowError.prototype.name = "HookOverflowError";
  }
  readonly code: string = "HOOK_OVERFLOW";
}

interface Registration<T> {
  readonly handler: HookHandler<T>;
  readonly once: boolean;
}

/** An event whose emitter waits for all handlers, one after another. */
export class Hook<T> {
  // Replaced, never changed in place: an emit that is under way keeps the list
  // it started with, whatever its handlers add or remove.
  #registrations: readonly Registration<T>[] = [];

  /** How many handlers would run now. */
  get size(): number {
    return this.#registrations.length;
  }

  /**
   * Appends a handler; adding it twice runs it twice. The returned function
   * takes back exactly this addition and may be called any number of times.
   */
  add(handler: HookHandler<T>, options: HookAddOptions = {}): () => void {
    return this.#register({ handler, once: false }, options.signal);
  }

  /** Like `add`, for the next value only. */
  once(handler: HookHandler<T>, options: HookAddOptions = {}): () => void {
    return this.#register({ handler, once: true }, options.signal);
  }

  /** Removes the earliest addition of a handler; throws if there is none. */
  remove(handler: HookHandler<T>): void {
    const found = this.#registrations.find((r) => r.handler === handler);
    if (found === undefined) {
      throw new ConfigurationError("The handler to remove was never added");
    }
    this.#unregister(found);
  }

  /**
   * Runs the handlers in the order of their addition and waits for each. The
   * first that throws stops the rest, and its error is the caller's.
   */
  async emit(value: T): Promise<void> {
    for (const registration of this.#registrations) {
      if (registration.once && !this.#unregister(registration)) continue;
      const pending = registration.handler(value);
      if (pending !== undefined) await pending;
    }
  }

  /**
   * The values from now on as an asynchronous iterable. A slow reader delays
   * nobody: values wait in a buffer, and past `maxBuffered` the iteration
   * fails with `HookOverflowError` once it has handed out what it holds.
   */
  iterate(options: HookIterateOptions = {}): AsyncIterableIterator<T> {
    const { signal, maxBuffered = 10_000 } = options;
    const buffer: T[] = [];
    let waiting: PromiseWithResolvers<IteratorResult<T>>[] = [];
    let ended = signal?.aborted ?? false;
    let failure: HookOverflowError | undefined;

    const remove = ended
      ? () => {}
      : this.add((value) => {
          const reader = waiting.shift();
          if (reader !== undefined) {
            reader.resolve({ done: false, value });
          } else if (buffer.length < maxBuffered) {
            buffer.push(value);
          } else {
            failure = new HookOverflowError(
              `More than ${maxBuffered} values wait for the reader`,
            );
            end();
          }
        });
    const end = (): void => {
      ended = true;
      remove();
      signal?.removeEventListener("abort", end);
      for (const reader of waiting) {
        reader.resolve({ done: true, value: undefined });
      }
      waiting = [];
    };
    if (!ended) signal?.addEventListener("abort", end, { once: true });

    return {
      next(): Promise<IteratorResult<T>> {
        if (buffer.length > 0) {
          // Not empty, so what comes out is a value, even an undefined one.
          const value = buffer.shift() as T;
          return Promise.resolve({ done: false, value });
        }
        if (failure !== undefined) {
          const error = failure;
          failure = undefined;
          return Promise.reject(error);
        }
        if (ended) return Promise.resolve({ done: true, value: undefined });
        const reader = Promise.withResolvers<IteratorResult<T>>();
        waiting.push(reader);
        return reader.promise;
      },
      return(): Promise<IteratorResult<T>> {
        buffer.length = 0;
        end();
        return Promise.resolve({ done: true, value: undefined });
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  #register(
    registration: Registration<T>,
    signal: AbortSignal | undefined,
  ): () => void {
    if (typeof registration.handler !== "function") {
      throw new ConfigurationError(
        `A handler must be a function, got ${describeValue(registration.handler)}`,
      );
    }
    if (signal?.aborted) return () => {};
    this.#registrations = [...this.#registrations, registration];
    const remove = (): void => {
      signal?.removeEventListener("abort", remove);
      this.#unregister(registration);
    };
    signal?.addEventListener("abort", remove, { once: true });
    return remove;
  }

  #unregister(registration: Registration<T>): boolean {
    const before = this.#registrations;
    const after = before.filter((r) => r !== registration);
    this.#registrations = after;
    return after.length < before.length;
  }
}
