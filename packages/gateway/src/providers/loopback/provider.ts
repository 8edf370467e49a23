/**
 * A simulated carrier: subscribers stand for the phones, statuses come back, and
 * everything that passed can be taken out and looked at. For tests and demos.
 */

import { describeValue } from "../../describe-value.ts";
import { ConfigurationError } from "../../errors.ts";
import { IncomingMessage } from "../../incoming-message.ts";
import { MessageAccepted, MessageDelivered } from "../../message-status.ts";
import type { OutgoingMessage } from "../../outgoing-message.ts";
import { digitsOnly } from "../../phone-number.ts";
import { Provider } from "../../provider.ts";
import { defineProviderType } from "../../provider-type.ts";

/** What a subscriber receives: the message, and a way to answer it. */
export type LoopbackMessage = OutgoingMessage & {
  /**
   * Sends a text back from the subscriber's number. Does nothing when the
   * message does not allow replies.
   */
  reply(body: string): Promise<void>;
};

/** Plays a phone: is called with each text to its number, and waited for. */
export type LoopbackSubscriber = (message: LoopbackMessage) => unknown;

/** What passed through the loopback, in either direction. */
export type LoopbackTraffic = OutgoingMessage | IncomingMessage;

/** A provider whose phones are functions of a test or a demo. */
export class LoopbackProvider extends Provider {
  override readonly textLimits = null;
  override readonly reachesPhones = false;
  readonly #subscribers = new Map<string, LoopbackSubscriber>();
  #traffic: LoopbackTraffic[] = [];
  #count = 0;

  /**
   * Puts a phone behind a number; a second subscriber of the same number takes
   * the place of the first. Returns the provider, for chaining.
   */
  subscribe(number: string, subscriber: LoopbackSubscriber): this {
    if (typeof subscriber !== "function") {
      throw new ConfigurationError(
        `A subscriber must be a function, got ${describeValue(subscriber)}`,
      );
    }
    this.#subscribers.set(digitsOnly(number), subscriber);
    return this;
  }

  unsubscribe(number: string): this {
    this.#subscribers.delete(digitsOnly(number));
    return this;
  }

  /** Everything that passed since the last call, in order; empties the log. */
  takeTraffic(): LoopbackTraffic[] {
    const traffic = this.#traffic;
    this.#traffic = [];
    return traffic;
  }

  /** Plays a phone that sends us a text. */
  async received(src: string, body: string): Promise<IncomingMessage> {
    const message = new IncomingMessage(src, body, { msgid: this.#nextId() });
    this.#traffic.push(message);
    return this.receiveMessage(message);
  }

  /**
   * Delivers to the subscriber, then reports the status if one was asked for;
   * so replies and the status come before `send` resolves. A subscriber that
   * throws fails the send, while the traffic keeps the message.
   */
  override async send(message: OutgoingMessage): Promise<OutgoingMessage> {
    const msgid = this.#nextId();
    message.msgid = msgid;
    this.#traffic.push(message);

    const subscriber = this.#subscribers.get(message.dst);
    if (subscriber !== undefined) await subscriber(this.#withReply(message));

    if (message.providerOptions.statusReport) {
      const Status = subscriber ? MessageDelivered : MessageAccepted;
      await this.receiveStatus(new Status(msgid, { status: "OK" }));
    }
    return message;
  }

  #nextId(): string {
    this.#count += 1;
    return String(this.#count);
  }

  // The method is hidden from enumeration so that stored and compared messages
  // look the same whether or not somebody was subscribed.
  #withReply(message: OutgoingMessage): LoopbackMessage {
    return Object.defineProperty(message, "reply", {
      configurable: true,
      value: async (body: string): Promise<void> => {
        if (!message.providerOptions.allowReply) return;
        await this.received(message.dst, body);
      },
    }) as LoopbackMessage;
  }
}

export const loopbackType = defineProviderType({
  type: "loopback",
  create: () => new LoopbackProvider(),
});
