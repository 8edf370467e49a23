/**
 * What leased messages say: read once for all who get a message at about the same
 * time, and never more of it at once than an answer may hold.
 */

import { isPermanent } from "../errors.ts";
import { type Message, selectText } from "../messages/message.ts";
import { topicsOf, toTopic } from "../messages/message-topics.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { ContentSeal } from "../ports/content-seal.ts";
import type { DeliveryStore } from "../ports/delivery-store.ts";
import type { Logger } from "../ports/logger.ts";
import type { MessageLease } from "../ports/message-queue-store.ts";
import type { PublisherStore } from "../ports/publisher-store.ts";
import type { Protocols } from "../subscriptions/protocol.ts";
import { utf8Length } from "../text.ts";
import type { PulledMessage } from "./mailboxes.ts";

export interface MessageContentsPorts {
  readonly store: Pick<DeliveryStore, "findMessageBySeq"> &
    Pick<PublisherStore, "findCategoryNames">;
  readonly seal: ContentSeal;
  readonly protocols: Pick<Protocols, "find">;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** An answer, and the leases that are not in it. */
export interface Answer {
  readonly messages: readonly PulledMessage[];
  /** Did not fit in. */
  readonly rest: readonly MessageLease[];
  /** Can never be read: their key is gone, or they are damaged. */
  readonly unreadable: readonly MessageLease[];
}

/** A message as it is read, whoever gets it. */
interface Content {
  readonly message: Message;
  readonly body: string;
  /** As it is sent, about: in JSON, with its escapes. */
  readonly sentBytes: number;
  readonly categories: readonly string[];
}

/**
 * Bytes of one answer, about; the first message is always in it. No more, so that
 * an answer is written in one turn of the event loop that holds up nobody for long.
 */
const maxAnswerBytes = 1024 * 1024;

/** Of a message's ids, instants and names, about. */
const frameBytes = 512;

/** Messages that are read at once for one answer. */
const readAtOnce = 10;

/** Messages that are kept, each of 256 KB at most, and for how long. */
const maxCached = 32;
const cachedMs = 1000;

export class MessageContents {
  readonly #ports: MessageContentsPorts;
  /** By number; `undefined`: it cannot be read. */
  readonly #cache = new Map<number, Promise<Content | undefined>>();
  #expiry: Timer | undefined;

  constructor(ports: MessageContentsPorts) {
    this.#ports = ports;
  }

  /**
   * What was leased; `undefined` when it can never be read.
   *
   * @throws what may not come again: the store cannot be reached
   */
  async read(lease: MessageLease): Promise<PulledMessage | undefined> {
    const content = await this.#content(lease.messageSeq);
    return content && toPulled(content, lease);
  }

  /** As many of the leases as fit into one answer. Throws as {@link read} does. */
  async readAnswer(leases: readonly MessageLease[]): Promise<Answer> {
    const messages: PulledMessage[] = [];
    const unreadable: MessageLease[] = [];
    let bytes = 0;
    for (let first = 0; first < leases.length; first += readAtOnce) {
      if (first > 0) await this.#ports.clock.nextTurn();
      const part = leases.slice(first, first + readAtOnce);
      const contents = await Promise.all(
        part.map(({ messageSeq }) => this.#content(messageSeq)),
      );
      for (const [n, lease] of part.entries()) {
        const content = contents[n];
        if (content === undefined) {
          unreadable.push(lease);
          continue;
        }
        bytes += content.sentBytes;
        if (bytes > maxAnswerBytes && messages.length > 0) {
          return { messages, unreadable, rest: leases.slice(first + n) };
        }
        messages.push(toPulled(content, lease));
      }
    }
    return { messages, unreadable, rest: [] };
  }

  /** Keeps nothing any more. */
  clear(): void {
    this.#expiry?.cancel();
    this.#expiry = undefined;
    this.#cache.clear();
  }

  #content(messageSeq: number): Promise<Content | undefined> {
    const cached = this.#cache.get(messageSeq);
    if (cached) return cached;
    const [oldest] = this.#cache.keys();
    if (oldest !== undefined && this.#cache.size >= maxCached) {
      this.#cache.delete(oldest);
    }
    const content = this.#read(messageSeq);
    this.#cache.set(messageSeq, content);
    // A failure is not kept; whoever asked is told of it.
    content.catch(() => {
      if (this.#cache.get(messageSeq) === content) {
        this.#cache.delete(messageSeq);
      }
    });
    // Opened messages do not stay in memory.
    this.#expiry ??= this.#ports.clock.setTimer(cachedMs, () => this.clear());
    return content;
  }

  async #read(messageSeq: number): Promise<Content | undefined> {
    const { store, seal, protocols, logger } = this.#ports;
    try {
      const kept = await store.findMessageBySeq(messageSeq);
      if (kept === undefined) throw new Error("There is no such message.");
      const message = await seal.open(kept);
      const names = topicsOf(message).map(({ name }) => name);
      const categories = await store.findCategoryNames(
        message.projectId,
        names,
      );
      const body = selectText(
        message.content,
        protocols.find("pull") ?? { name: "pull" },
      );
      return {
        message,
        body,
        sentBytes: sentBytesOf(message, body),
        categories: names.map((name) => categories.get(name) ?? name),
      };
    } catch (error) {
      if (!isPermanent(error)) throw error;
      logger.error("message_unreadable", { messageSeq, error });
      return undefined;
    }
  }
}

function sentBytesOf(
  { subject, extraData, attributes }: Message,
  body: string,
): number {
  const parts = [subject, body, extraData, attributes];
  return frameBytes + utf8Length(JSON.stringify(parts));
}

function toPulled(
  { message, body, categories }: Content,
  lease: MessageLease,
): PulledMessage {
  const { subject, extraData, attributes, orderingKey } = message;
  const { messageSeq, target, fence } = lease;
  return {
    key: { messageSeq, target, fence },
    leaseUntil: lease.until,
    deliveryCount: lease.deliveryCount,
    messageSeq,
    messageId: message.id,
    ...(subject !== undefined && { subject }),
    body,
    ...(extraData && { data: extraData }),
    ...(attributes && { attributes }),
    // What is in a mailbox came through a subscription to a topic.
    topicUrn: toTopic(message, lease.topicSeq).topic?.urn ?? "",
    categories,
    ...(orderingKey !== undefined && { orderingKey }),
    createdAt: message.createdAt,
  };
}
