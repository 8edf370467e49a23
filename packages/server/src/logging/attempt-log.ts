/**
 * A line for each attempt that failed, bounded for each endpoint: a dead one
 * with 100,000 deliveries fills a few lines in ten seconds.
 */

import {
  type Clock,
  type DeliveryListener,
  formatSubscriptionUrn,
  type Logger,
  type Protocols,
  toDeliveryId,
  type WrittenDelivery,
} from "@carillon/core";
import { LineLimit } from "./line-limit.ts";

const limits = { ofOneKind: 3, inAll: 100, kinds: 100, intervalMs: 10_000 };

/** Failures that are no attempt's. */
const withoutAttempt: ReadonlySet<string> = new Set(["filtered", "expired"]);

export class AttemptLog implements DeliveryListener, Disposable {
  readonly #lines: LineLimit<WrittenDelivery>;

  constructor({
    logger,
    clock,
    protocols,
  }: {
    readonly logger: Logger;
    readonly clock: Clock;
    readonly protocols: Protocols;
  }) {
    this.#lines = new LineLimit(clock, limits, (delivery, omitted) => {
      const fields = {
        ...describe(delivery, protocols),
        ...(omitted > 0 && { omitted }),
      };
      if (delivery.outcome.nextAttemptAt === undefined) {
        logger.warn("attempt_failed", fields);
      } else logger.info("attempt_failed", fields);
    });
  }

  onWritten(deliveries: readonly WrittenDelivery[]): void {
    for (const delivery of deliveries) {
      if (delivery.isWithoutAttempt) continue;
      const { errorClass } = delivery.outcome.lastAttempt ?? {};
      if (errorClass === undefined || withoutAttempt.has(errorClass)) continue;
      const { protocol, endpoint } = delivery.item.recipient;
      this.#lines.add(`${protocol} ${endpoint}`, delivery);
    }
  }

  [Symbol.dispose](): void {
    this.#lines[Symbol.dispose]();
  }
}

function describe({ item, outcome }: WrittenDelivery, protocols: Protocols) {
  const { message, recipient } = item;
  const { topic } = message;
  const { target, subscriptionId, protocol, endpoint } = recipient;
  const { state, attempts, nextAttemptAt, lastAttempt } = outcome;
  return {
    messageId: message.id,
    deliveryId: toDeliveryId(message.id, target),
    ...(topic &&
      subscriptionId && {
        subscriptionUrn: formatSubscriptionUrn(topic.urn, subscriptionId),
      }),
    protocol,
    endpoint: protocols.maskEndpoint(protocol, endpoint),
    state,
    attempt: attempts,
    // Not the sentence: it quotes the receiver.
    errorClass: lastAttempt?.errorClass,
    status: lastAttempt?.statusCode,
    provider: lastAttempt?.provider,
    durationMs: lastAttempt?.durationMs,
    ...(nextAttemptAt !== undefined && {
      nextAttemptAt: new Date(nextAttemptAt).toISOString(),
    }),
  };
}
