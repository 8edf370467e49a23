/** Fetches with the credentials of a subscriber account. */

import {
  type AccountErrorOptions,
  FailedToConfirmMessageError,
  FailedToReceiveMessageError,
} from "../errors.ts";
import { parseObjects } from "../json.ts";
import type { RequestOptions } from "../transport.ts";
import { type AccountSettings, createAccountApis } from "./account-apis.ts";
import type {
  LeaseReference,
  NackOptions,
  SettledLeases,
  SettleOptions,
} from "./leases.ts";
import { findMessageFields, Message, markConfirmed } from "./message.ts";
import type { StreamOptions } from "./message-stream.ts";
import type { Notipy } from "./notipy.ts";
import {
  type CallbackOptions,
  type Polling,
  type PollOptions,
  polls,
} from "./polling.ts";
import {
  createPullQueue,
  type DeadMessage,
  type DeadMessageOptions,
  type PullQueue,
  type ReceiveOptions,
} from "./pull-queue.ts";
import type { PulledMessage } from "./pulled-message.ts";

/** A subscriber account, and how its requests are made. */
export interface SubscriberOptions extends AccountSettings {
  /**
   * For `stream` and the like: the name of its mailbox, or id or URN of a subscription
   * that fills it. Default: the account's id.
   */
  readonly subscription?: string | undefined;
}

/** Ids of one confirmation. */
const maxConfirmedIds = 1000;

/**
 * A subscriber account. What polls and confirms works with any service of the Notipy
 * protocol; `stream`, `receive` and what settles leases is of Carillon's own API.
 * Nothing is sent before the first message is asked for.
 *
 * ```ts
 * const subscriber = new Subscriber({ id, secret, baseUrl });
 * for await (const message of subscriber.stream()) {
 *   await handle(message.body);
 *   await message.ack();
 * }
 * ```
 */
export class Subscriber implements PullQueue {
  readonly id: string;
  readonly #notipy: Notipy;
  readonly #queue: PullQueue;

  /** @throws InvalidOptionsError */
  constructor(settings: SubscriberOptions) {
    const { notipy, api, streams } = createAccountApis(settings);
    this.id = settings.id;
    this.#notipy = notipy;
    this.#queue = createPullQueue(
      api,
      streams,
      settings.subscription ?? settings.id,
    );
  }

  /**
   * What waits, once; an empty list if nothing does. What is not confirmed comes
   * again after a while.
   *
   * @throws InvalidCredentialsError, FailedToReceiveMessageError
   */
  async pollMessages(options?: RequestOptions): Promise<readonly Message[]> {
    const toError = (message: string, given: AccountErrorOptions) =>
      new FailedToReceiveMessageError(message, given);
    const text = await this.#notipy(
      { method: "GET", isSuccess: (status) => status === 200, toError },
      options,
    );
    const found = parseObjects(text)?.map(findMessageFields);
    const messages = found?.flatMap((fields) =>
      fields ? [new Message(fields, this.#confirm)] : [],
    );
    if (messages && messages.length === found?.length) return messages;
    throw toError("The answer is not a list of messages", {
      status: 200,
      text,
    });
  }

  /**
   * Polls, calls `callback` with the list of that poll, be it empty, and so on, until
   * the signal aborts, with whose reason it rejects, or until something throws.
   * Failures that may pass are waited out, but for the first poll's.
   */
  async pollMessagesBlocking({
    callback,
    ...options
  }: PollOptions & CallbackOptions): Promise<never> {
    return await this.#pollInto(callback, options, true);
  }

  /** The same in the background, until it is stopped. */
  pollMessagesAsync({
    callback,
    pollEveryMs,
    name = "Poll messages",
    daemon = true,
    onConnection,
    onError,
  }: Omit<PollOptions, "signal"> &
    CallbackOptions & {
      /** For the caller's own use, as the handle has it. */
      readonly name?: string | undefined;
      /** Waiting for the next poll does not keep the program alive. Default true. */
      readonly daemon?: boolean | undefined;
      /** Told what ended it, unless it was stopped. */
      readonly onError?: ((error: unknown) => void) | undefined;
    }): Polling {
    const stopping = new AbortController();
    const { signal } = stopping;
    const options = { pollEveryMs, onConnection, signal };
    const ended = this.#pollInto(callback, options, !daemon).catch(
      (error: unknown) => {
        if (!signal.aborted || error !== signal.reason) throw error;
      },
    );
    // Handled also where nobody waits for `ended`.
    ended.catch((error: unknown) => onError?.(error));
    const stop = () => {
      stopping.abort();
      return ended;
    };
    return { name, stop, ended };
  }

  /**
   * Messages as polls bring them, until the loop is left or the signal aborts; then
   * it rejects with the signal's reason.
   */
  async *messages(
    options: PollOptions = {},
  ): AsyncGenerator<Message, void, undefined> {
    const poll = (signal?: AbortSignal) => this.pollMessages({ signal });
    for await (const messages of polls(poll, options)) yield* messages;
  }

  /**
   * Confirms what was polled, in one request; what is confirmed already is left
   * out.
   *
   * @throws InvalidCredentialsError, FailedToConfirmMessageError
   */
  async confirmAll(
    messages: readonly Message[],
    options?: RequestOptions,
  ): Promise<void> {
    await this.#confirm(messages, options);
  }

  receive(options?: ReceiveOptions): Promise<readonly PulledMessage[]> {
    return this.#queue.receive(options);
  }

  stream(
    options?: StreamOptions,
  ): AsyncGenerator<PulledMessage, void, undefined> {
    return this.#queue.stream(options);
  }

  ack(
    leases: readonly LeaseReference[],
    options?: SettleOptions,
  ): Promise<SettledLeases> {
    return this.#queue.ack(leases, options);
  }

  nack(
    leases: readonly LeaseReference[],
    options?: NackOptions,
  ): Promise<SettledLeases> {
    return this.#queue.nack(leases, options);
  }

  extend(
    leases: readonly LeaseReference[],
    seconds: number,
    options?: SettleOptions,
  ): Promise<SettledLeases> {
    return this.#queue.extend(leases, seconds, options);
  }

  dead(
    options?: DeadMessageOptions,
  ): AsyncGenerator<DeadMessage, void, undefined> {
    return this.#queue.dead(options);
  }

  redrive(ids?: readonly string[], options?: RequestOptions): Promise<number> {
    return this.#queue.redrive(ids, options);
  }

  readonly #confirm = async (
    messages: readonly Message[],
    options?: RequestOptions,
  ): Promise<void> => {
    const open = messages.filter(({ confirmed }) => !confirmed);
    for (let at = 0; at < open.length; at += maxConfirmedIds) {
      const some = open.slice(at, at + maxConfirmedIds);
      await this.#notipy(
        {
          method: "PUT",
          body: { messages: some.map(({ id }) => id), success: true },
          isSuccess: (status) => status >= 200 && status < 300,
          toError: (message, given) =>
            new FailedToConfirmMessageError(message, given),
        },
        options,
      );
      markConfirmed(some);
    }
  };

  async #pollInto(
    callback: CallbackOptions["callback"],
    options: PollOptions,
    keepsAlive: boolean,
  ): Promise<never> {
    const poll = (signal?: AbortSignal) => this.pollMessages({ signal });
    const each = polls(poll, options, { keepsAlive });
    for (;;) await callback((await each.next()).value);
  }
}
