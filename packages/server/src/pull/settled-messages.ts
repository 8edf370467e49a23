/**
 * Tells metrics and the logs of topics what came of messages in mailboxes, as the
 * engine does of what it delivers. Messages are read only for topics that have a
 * log: who confirms need not wait for it.
 */

import {
  type BindingStore,
  type DeliveryListener,
  type DeliveryStore,
  type Logger,
  type MessageReader,
  parseSubscriptionUrn,
  type SettledMessage,
  toTopic,
  type WrittenDelivery,
} from "@carillon/core";
import type { DeliveryMeter } from "../metrics/delivery-meter.ts";

export interface SettledMessagesPorts {
  readonly store: Pick<BindingStore, "findBinding"> &
    Pick<DeliveryStore, "findMessageBySeq"> &
    Pick<MessageReader, "findDelivery">;
  readonly meter: Pick<DeliveryMeter, "noteSettled">;
  readonly deliveryLog: DeliveryListener;
  readonly logger: Logger;
}

export class SettledMessages implements AsyncDisposable {
  readonly #ports: SettledMessagesPorts;
  /** One after the other, in the order in which they ended. */
  #tail: Promise<void> = Promise.resolve();

  constructor(ports: SettledMessagesPorts) {
    this.#ports = ports;
  }

  onSettled(messages: readonly SettledMessage[]): void {
    for (const { state } of messages) {
      this.#ports.meter.noteSettled("pull", state);
    }
    this.#tail = this.#tail.then(() => this.#log(messages));
  }

  /** Never rejects. */
  async #log(messages: readonly SettledMessage[]): Promise<void> {
    const { store, deliveryLog, logger } = this.#ports;
    for (const settled of messages) {
      try {
        const { topicSeq } = settled;
        if (!(await store.findBinding(topicSeq, "logtank"))) continue;
        const written = await this.#read(settled);
        if (written) deliveryLog.onWritten([written]);
      } catch (error) {
        const { messageSeq, target } = settled;
        logger.error("delivery_not_logged", { messageSeq, target, error });
      }
    }
  }

  async #read({
    messageSeq,
    target,
    topicSeq,
    state,
  }: SettledMessage): Promise<WrittenDelivery | undefined> {
    const { store } = this.#ports;
    const message = await store.findMessageBySeq(messageSeq);
    const delivery = await store.findDelivery(messageSeq, target);
    // Its retention may have ended in between.
    if (!message || !delivery) return undefined;
    const { protocol, endpoint, subscriptionUrn, attemptCount } = delivery;
    const subscriptionId =
      subscriptionUrn === undefined
        ? undefined
        : parseSubscriptionUrn(subscriptionUrn)?.subscriptionId;
    const lastAttempt = delivery.attempts.at(-1);
    return {
      item: {
        message: toTopic(message, topicSeq),
        recipient: {
          target,
          protocol,
          endpoint,
          ...(subscriptionId !== undefined && { subscriptionId }),
        },
      },
      outcome: {
        messageSeq,
        target,
        state,
        attempts: attemptCount,
        ...(lastAttempt && { lastAttempt }),
      },
    };
  }

  /** Resolves once all that it was told is logged. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tail;
  }
}
