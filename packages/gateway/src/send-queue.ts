/**
 * Messages to one provider that takes several in one request: those that are sent
 * at about the same time go out together. Each has an outcome of its own, and
 * one that is given up leaves the others alone.
 */

import type { Clock } from "./clock.ts";
import { ProviderError, RequestError } from "./errors.ts";
import type { OutgoingMessage } from "./outgoing-message.ts";
import type {
  Batching,
  Provider,
  ProviderContext,
  SendResult,
} from "./provider.ts";
import { numbersOf, redactError } from "./redact-error.ts";

/** One message's turn, as the queue sees it. */
export interface QueuedTurn extends ProviderContext {
  /** Given up, while it waits or while the provider has it. */
  readonly isGivenUp: boolean;
  /** The provider gets the message now. */
  begin(): void;
  /** Called when it is given up. */
  onGivenUp: ((reason: unknown) => void) | undefined;
}

/** A message that waits for its request. */
interface Waiting {
  readonly message: OutgoingMessage;
  readonly turn: QueuedTurn;
  readonly resolve: (sent: OutgoingMessage) => void;
  readonly reject: (error: unknown) => void;
}

/** As a `SendResult`, whatever was thrown. */
interface Result {
  readonly message: OutgoingMessage;
  readonly error?: unknown;
}

/** Of texts alone; what stands around them is of the same order. */
const defaultMaxBytes = 262_144;

/**
 * How long messages wait for each other, as long as every turn of the event loop
 * brings another; in milliseconds.
 */
const windowMs = 5;

/** The messages of one provider. */
export class SendQueue {
  readonly #provider: Provider;
  readonly #clock: Pick<Clock, "monotonic">;
  #waiting: Waiting[] = [];
  #bytes = 0;
  /** Counts requests, so that a turn of the loop knows whether it is too late. */
  #round = 0;

  constructor(provider: Provider, clock: Pick<Clock, "monotonic">) {
    this.#provider = provider;
    this.#clock = clock;
  }

  /**
   * Sends it with the others, or alone if there are none at the next turn of the
   * event loop. Rejects with its own error.
   */
  send(
    message: OutgoingMessage,
    turn: QueuedTurn,
    { maxTexts, maxBytes = defaultMaxBytes }: Batching,
  ): Promise<OutgoingMessage> {
    const bytes = Buffer.byteLength(message.body);
    // Before it is added: a request has no more than its bounds.
    if (this.#bytes + bytes > maxBytes) this.#flush();
    const { promise, resolve, reject } =
      Promise.withResolvers<OutgoingMessage>();
    this.#waiting.push({ message, turn, resolve, reject });
    this.#bytes += bytes;
    if (this.#waiting.length >= maxTexts) this.#flush();
    else if (this.#waiting.length === 1) {
      this.#waitForOthers(this.#round, 1, this.#clock.monotonic());
    }
    return promise;
  }

  /** @param known how many waited at the last turn of the loop */
  #waitForOthers(round: number, known: number, since: number): void {
    setImmediate(() => {
      if (round !== this.#round) return;
      const { length } = this.#waiting;
      const isOver = this.#clock.monotonic() - since >= windowMs;
      if (length === known || isOver) this.#flush();
      else this.#waitForOthers(round, length, since);
    });
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    this.#round++;
    // What was given up by now is not sent: nobody waits for it.
    const wanted = waiting.filter(({ turn }) => !turn.isGivenUp);
    for (const { turn } of wanted) turn.begin();
    const [first, second] = wanted;
    if (first === undefined) return;
    if (second === undefined) this.#sendAlone(first);
    else void this.#sendTogether(wanted);
  }

  #sendAlone({ message, turn, resolve, reject }: Waiting): void {
    start(() => this.#provider.send(message, turn)).then(resolve, reject);
  }

  async #sendTogether(wanted: readonly Waiting[]): Promise<void> {
    const controller = new AbortController();
    let open = wanted.length;
    for (const { turn } of wanted) {
      turn.onGivenUp = (reason) => {
        open--;
        // As long as somebody waits for his, the request goes on.
        if (open === 0) controller.abort(reason);
      };
    }
    let results: readonly Result[];
    try {
      results = await start(() => this.#sendBatch(wanted, controller.signal));
    } catch (error) {
      results = wanted.map(({ message }) => ({ message, error }));
    }
    this.#redact(results, wanted);
    if (this.#provider.batching?.takesAllOrNone && isRefusedWhole(results)) {
      // One of them may be to blame: it is not to take the others with it.
      for (const each of wanted) {
        if (!each.turn.isGivenUp) this.#sendAlone(each);
      }
      return;
    }
    for (const [at, { message, resolve, reject }] of wanted.entries()) {
      const result = results[at];
      if (result?.message !== message) reject(this.#noResult());
      else if (result.error !== undefined) reject(result.error);
      else resolve(message);
    }
  }

  async #sendBatch(
    wanted: readonly Waiting[],
    signal: AbortSignal,
  ): Promise<readonly SendResult[]> {
    const results: unknown = await this.#provider.sendBatch?.(
      wanted.map(({ message }) => message),
      { signal, msgids: wanted.map(({ turn }) => turn.msgid) },
    );
    return Array.isArray(results) ? results : [];
  }

  /** An error of one may quote the numbers of all. */
  #redact(results: readonly Result[], wanted: readonly Waiting[]): void {
    const errors = new Set(results.map(({ error }) => error));
    errors.delete(undefined);
    if (errors.size === 0) return;
    const secrets = wanted.flatMap(({ message: { dst } }) => numbersOf(dst));
    for (const error of errors) redactError(error, secrets);
  }

  #noResult(): ProviderError {
    const { name } = this.#provider;
    return new ProviderError(
      `The provider "${name}" did not say what became of the message`,
      { provider: name, code: "NO_RESULT", outcomeUnknown: true },
    );
  }
}

/**
 * Whether a request was refused for what was in it, before any of it was looked at
 * by itself. Of a provider that takes all of a request or none, nothing went out.
 */
function isRefusedWhole(results: readonly Result[]): boolean {
  const [error] = results.map((it) => it.error);
  return (
    error instanceof RequestError &&
    !error.outcomeUnknown &&
    results.every((it) => it.error === error)
  );
}

/** Rejects where a provider throws. */
async function start<Value>(work: () => Promise<Value>): Promise<Value> {
  return await work();
}
