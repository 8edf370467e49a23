/**
 * Logs the deliveries of topics that have a logtank, a line of JSON for each
 * final outcome. A line is written after its outcome is on disk: a crash in
 * between leaves it out. What was interrupted, cancelled or settled by a
 * receipt stands in the ledger only.
 */

import {
  type BindingStore,
  type DeliveryListener,
  type DeliveryState,
  formatSubscriptionUrn,
  isSettled,
  type Logger,
  type Message,
  type Protocols,
  type TopicBinding,
  toDeliveryId,
  type WrittenDelivery,
} from "@carillon/core";
import { toMillisecondsText } from "../api/timestamps.ts";
import { type LogCursor, LogFiles, type LogFilesOptions } from "./log-files.ts";

export interface DeliveryLogPage {
  readonly entries: readonly unknown[];
  readonly next: LogCursor;
}

export interface DeliveryLogReader {
  /** Oldest first, behind a cursor; an empty page is the end so far. */
  read(
    topicId: string,
    page: { readonly after?: LogCursor | undefined; readonly limit: number },
  ): Promise<DeliveryLogPage>;
}

export interface DeliveryLogPorts extends LogFilesOptions {
  readonly store: Pick<BindingStore, "findBinding">;
  readonly protocols: Protocols;
  readonly logger: Logger;
}

/** Deliveries that may wait to be logged; more are left out. */
const maxWaiting = 200_000;

export class DeliveryLog
  implements DeliveryListener, DeliveryLogReader, AsyncDisposable
{
  readonly #store: DeliveryLogPorts["store"];
  readonly #protocols: Protocols;
  readonly #logger: Logger;
  readonly #files: LogFiles;
  #waiting = 0;
  /** Deliveries that could not be logged, since it last could. */
  #omitted = 0;
  #tail: Promise<void> = Promise.resolve();

  constructor(ports: DeliveryLogPorts) {
    this.#store = ports.store;
    this.#protocols = ports.protocols;
    this.#logger = ports.logger;
    this.#files = new LogFiles(ports);
  }

  onWritten(deliveries: readonly WrittenDelivery[]): void {
    if (this.#waiting > maxWaiting) {
      const count = deliveries.length;
      this.#logger.error("delivery_log_overrun", { count });
      return;
    }
    this.#waiting += deliveries.length;
    this.#tail = this.#tail
      .then(() => this.#log(deliveries))
      .then(
        () => this.#onSuccess(),
        (error: unknown) => this.#onFailure(error, deliveries.length),
      )
      .finally(() => {
        this.#waiting -= deliveries.length;
      });
  }

  /** Says once that it fails, not for each batch on a disk that is full. */
  #onFailure(error: unknown, deliveries: number): void {
    if (this.#omitted === 0) {
      this.#logger.error("delivery_log_failed", { error });
    }
    this.#omitted += deliveries;
  }

  #onSuccess(): void {
    if (this.#omitted === 0) return;
    this.#logger.info("delivery_log_recovered", { omitted: this.#omitted });
    this.#omitted = 0;
  }

  async read(
    topicId: string,
    { after, limit }: { readonly after?: LogCursor | undefined; limit: number },
  ): Promise<DeliveryLogPage> {
    await this.#tail;
    const { lines, next } = await this.#files.read(topicId, after, limit);
    return { entries: lines.map((line) => JSON.parse(line)), next };
  }

  /** Writes what it was given, then ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tail;
  }

  async #log(deliveries: readonly WrittenDelivery[]): Promise<void> {
    const texts = new Map<string, string>();
    // Mostly all of them are of one message.
    let known: Message | undefined;
    let logtank: TopicBinding<"logtank"> | undefined;
    for (const delivery of deliveries) {
      const { message } = delivery.item;
      if (!isSettled(delivery.outcome.state)) continue;
      if (message !== known) logtank = await this.#findLogtank(message);
      known = message;
      if (!logtank) continue;
      const line = `${JSON.stringify(toEntry(delivery, logtank, this.#protocols))}\n`;
      const { topicId } = logtank;
      texts.set(topicId, (texts.get(topicId) ?? "") + line);
    }
    for (const [topicId, text] of texts) {
      await this.#files.append(topicId, text);
    }
  }

  async #findLogtank({ audience, topic }: Message) {
    // Confirmations are no messages of the topic's.
    const isOfTopic = audience === "topic" || audience === "topics";
    if (!isOfTopic || !topic) return undefined;
    return await this.#store.findBinding(topic.seq, "logtank");
  }
}

function toEntry(
  { item, outcome }: WrittenDelivery,
  { data }: TopicBinding<"logtank">,
  protocols: Protocols,
) {
  const { message, recipient } = item;
  const { subscriptionId } = recipient;
  const { at, statusCode, errorClass, error } = outcome.lastAttempt ?? {};
  return {
    time: toMillisecondsText(at ?? message.createdAt),
    state: logStates[outcome.state],
    message_id: message.id,
    delivery_id: toDeliveryId(message.id, recipient.target),
    topic_urn: message.topic?.urn,
    subscription_urn:
      message.topic &&
      subscriptionId &&
      formatSubscriptionUrn(message.topic.urn, subscriptionId),
    protocol: recipient.protocol,
    endpoint: protocols.maskEndpoint(recipient.protocol, recipient.endpoint),
    http_code: statusCode,
    attempts: outcome.attempts,
    reason: outcome.state,
    error_class: errorClass,
    error,
    log_group_id: data.logGroupId,
    log_stream_id: data.logStreamId,
  };
}

/** SMN's three names for how a delivery ends. */
const logStates: Readonly<Record<DeliveryState, string>> = {
  waiting: "",
  sending: "",
  retrying: "",
  sent: "DELIVERED",
  delivered: "DELIVERED",
  debug: "DELIVERED",
  unknown: "FAIL_DELIVERED",
  failed: "FAIL_DELIVERED",
  rejected: "FAIL_DELIVERED",
  expired: "FAIL_DELIVERED",
  cancelled: "REJECTS",
  filtered: "REJECTS",
  suppressed: "REJECTS",
};
