/**
 * A channel in whose place another one can be put while messages are under way:
 * an engine has its channels for good, a mail server may change. Each attempt
 * ends with the channel that it began with, which is closed after its last one.
 */

import {
  type AttemptResult,
  type AttemptSignals,
  type Channel,
  type Message,
  noChannelText,
  type PreparedMessage,
  type ProtocolDefinition,
  type Recipient,
} from "@carillon/core";

/** What all channels that take this place have in common. */
export interface ReplaceableChannelOptions {
  readonly name: string;
  readonly protocols: readonly ProtocolDefinition[];
  readonly kind: Channel["kind"];
  /** The longest of them; see `Channel`. */
  readonly timeoutMs: number;
}

/** A channel that others stand behind, one at a time, or none. */
export interface ReplaceableChannel extends Channel {
  isSetUp(): boolean;
  /** From now on; `undefined`: it is as if there were no such channel. */
  replace(next: Channel | undefined): void;
}

/** Builds the place, with no channel in it. Closing it closes those it had. */
export function createReplaceableChannel(
  options: ReplaceableChannelOptions,
): ReplaceableChannel {
  return new Place(options);
}

/** A channel that stands, or stood, in the place. */
interface Holder {
  readonly channel: Channel;
  attempts: number;
}

class Place implements ReplaceableChannel {
  readonly name: string;
  readonly protocols: readonly ProtocolDefinition[];
  readonly kind: Channel["kind"];
  readonly timeoutMs: number;
  #current: Holder | undefined;
  /** The current one, and those that have attempts under way or are closing. */
  readonly #open = new Set<Holder>();
  #closed: Promise<void> | undefined;

  constructor(options: ReplaceableChannelOptions) {
    this.name = options.name;
    this.protocols = options.protocols;
    this.kind = options.kind;
    this.timeoutMs = options.timeoutMs;
  }

  isSetUp(): boolean {
    return this.#current !== undefined;
  }

  maxInFlight(): number | undefined {
    return this.#current?.channel.maxInFlight?.();
  }

  replace(channel: Channel | undefined): void {
    const before = this.#current;
    this.#current = undefined;
    if (before?.attempts === 0) void this.#close(before);
    if (channel === undefined) return;
    const holder = { channel, attempts: 0 };
    this.#open.add(holder);
    if (this.#closed) void this.#close(holder);
    else this.#current = holder;
  }

  prepare(message: Message): PreparedMessage {
    let preparedBy: Holder | undefined;
    let prepared: PreparedMessage | Promise<PreparedMessage> | undefined;
    return {
      deliver: (recipient, signals) => {
        const holder = this.#current;
        if (holder === undefined) return Promise.resolve(noChannel(recipient));
        if (prepared === undefined || preparedBy !== holder) {
          preparedBy = holder;
          prepared = holder.channel.prepare(message);
        }
        return this.#attempt(holder, prepared, recipient, signals);
      },
    };
  }

  close(): Promise<void> {
    this.#current = undefined;
    this.#closed ??= Promise.all(
      [...this.#open].map((holder) => this.#close(holder)),
    ).then(() => {});
    return this.#closed;
  }

  async #attempt(
    holder: Holder,
    prepared: PreparedMessage | Promise<PreparedMessage>,
    recipient: Recipient,
    signals: AttemptSignals | undefined,
  ): Promise<AttemptResult> {
    holder.attempts++;
    try {
      return await (await prepared).deliver(recipient, signals);
    } finally {
      holder.attempts--;
      if (holder.attempts === 0 && holder !== this.#current) {
        void this.#close(holder);
      }
    }
  }

  /** A channel's own `close` does not fail, and may be called again. */
  async #close(holder: Holder): Promise<void> {
    await holder.channel.close();
    this.#open.delete(holder);
  }
}

/** The last one was taken away while the message was made ready. */
function noChannel({ protocol }: Recipient): AttemptResult {
  return {
    outcome: "rejected",
    errorClass: "no_channel",
    error: noChannelText(protocol),
  };
}
