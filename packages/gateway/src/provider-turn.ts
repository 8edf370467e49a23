/**
 * One provider's turn with a message: it ends with the provider's answer, at
 * the deadline or by an abort, even if the provider goes on.
 */

import type { Clock } from "./clock.ts";
import { describeValue } from "./describe-value.ts";
import { ProviderConnectionError, ProviderError } from "./errors.ts";
import { OutgoingMessage } from "./outgoing-message.ts";
import type { Provider, ProviderContext } from "./provider.ts";
import { redactError, secretsOf } from "./redact-error.ts";
import type { QueuedTurn, SendQueue } from "./send-queue.ts";

export interface TurnOptions {
  readonly clock: Pick<Clock, "setTimer">;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** That the provider chose for the message before. */
  readonly msgid: string | undefined;
  /** Where messages of this provider wait for each other. */
  readonly queueOf: (provider: Provider) => SendQueue;
  /** The provider accepted the message after its turn. */
  readonly onLate: (sent: OutgoingMessage) => void;
}

/** What the provider is given with the message. */
export class ProviderTurn implements ProviderContext, QueuedTurn {
  readonly #provider: Provider;
  readonly #options: TurnOptions;
  onGivenUp: ((reason: unknown) => void) | undefined = undefined;
  #hasBegun = false;
  #isGivenUp = false;
  #reason: unknown;
  #controller: AbortController | undefined;

  constructor(provider: Provider, options: TurnOptions) {
    this.#provider = provider;
    this.#options = options;
  }

  /** Given up, while the provider may still have the message in hand. */
  get isGivenUp(): boolean {
    return this.#isGivenUp;
  }

  begin(): void {
    this.#hasBegun = true;
  }

  get msgid(): string | undefined {
    return this.#options.msgid;
  }

  /** Aborted when the turn is given up. Made for providers that look at it. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#isGivenUp) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  /**
   * Rejects with the provider's error, with the caller's reason for an abort,
   * or at the deadline with `ProviderConnectionError`.
   */
  take(message: OutgoingMessage): Promise<OutgoingMessage> {
    const { clock, timeoutMs, signal, onLate } = this.#options;
    const { promise, resolve, reject } =
      Promise.withResolvers<OutgoingMessage>();
    const giveUp = (reason: unknown): void => {
      end();
      this.#isGivenUp = true;
      this.#reason = reason;
      // It waited for others still, and is left out of their request.
      if (!this.#hasBegun) message.takeBack();
      this.onGivenUp?.(reason);
      this.#controller?.abort(reason);
      reject(reason);
    };
    const abort = (): void => giveUp(signal?.reason);
    const timer = clock.setTimer(timeoutMs, () =>
      giveUp(timeoutOf(this.#provider, timeoutMs)),
    );
    const end = (): void => {
      timer.cancel();
      signal?.removeEventListener("abort", abort);
    };
    signal?.addEventListener("abort", abort, { once: true });
    this.#send(message).then(
      (sent) => {
        if (this.#isGivenUp) return onLate(sent);
        end();
        resolve(sent);
      },
      (error: unknown) => {
        // Given up, its outcome is unknown already, and stays so.
        if (this.#isGivenUp) return;
        end();
        reject(error);
      },
    );
    return promise;
  }

  #start(message: OutgoingMessage): Promise<OutgoingMessage> {
    const provider = this.#provider;
    const { batching } = provider;
    if (batching !== undefined && provider.sendBatch !== undefined) {
      return this.#options.queueOf(provider).send(message, this, batching);
    }
    this.begin();
    return provider.send(message, this);
  }

  async #send(message: OutgoingMessage): Promise<OutgoingMessage> {
    const { name } = this.#provider;
    let sent: unknown;
    try {
      sent = await this.#start(message);
    } catch (error) {
      if (error instanceof ProviderError) error.provider ??= name;
      redactError(error, secretsOf(this.#provider, message.dst));
      throw error;
    }
    if (sent instanceof OutgoingMessage) return sent;
    throw new ProviderError(
      `The provider "${name}" must return the message it sent, ` +
        `got ${describeValue(sent)}`,
      { provider: name, code: "NO_MESSAGE", outcomeUnknown: true },
    );
  }
}

function timeoutOf(
  { name }: Provider,
  timeoutMs: number,
): ProviderConnectionError {
  return new ProviderConnectionError(
    `The provider "${name}" did not answer within ${timeoutMs} ms`,
    { provider: name, code: "TIMEOUT", outcomeUnknown: true },
  );
}
