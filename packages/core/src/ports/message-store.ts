import type { MessageId, ProjectId } from "../ids.ts";
import type { Delivery } from "../messages/delivery.ts";
import type { Actor } from "../messages/delivery-action.ts";
import type { DeliveryState } from "../messages/delivery-state.ts";
import type { Message, RelatedObject } from "../messages/message.ts";
import type { EpochMs } from "../time.ts";

/** What happened to messages, for people and programs that ask. */
export interface MessageReader {
  findMessage(
    projectId: ProjectId,
    id: MessageId,
  ): Promise<MessageReport | undefined>;
  /**
   * Newest first, starting behind `before` (a message number). A tag or a
   * related object is looked up; with another filter at most `maxScanned`
   * messages are looked at for one page, so that it may be shorter than its
   * limit, or empty, and have a next one.
   */
  listMessages(
    projectId: ProjectId,
    filter: MessageFilter,
    page: {
      readonly limit: number;
      readonly before?: number;
      readonly maxScanned?: number;
    },
  ): Promise<MessagePage>;
  /** In the order of targets, starting behind target `after`. */
  listDeliveries(
    messageSeq: number,
    page: {
      readonly limit: number;
      readonly after?: number;
      readonly state?: DeliveryState;
    },
  ): Promise<readonly Delivery[]>;
  findDelivery(
    messageSeq: number,
    target: number,
  ): Promise<Delivery | undefined>;
}

/** What is absent does not filter. */
export interface MessageFilter {
  /** Number of the topic it was published to. */
  readonly topicSeq?: number | undefined;
  /** With a delivery in this state. */
  readonly state?: DeliveryState | undefined;
  readonly tag?: string | undefined;
  /** About this object, among others. */
  readonly relatedObject?: RelatedObject | undefined;
  /** Accepted then or later. */
  readonly since?: EpochMs | undefined;
}

/** A part of a list of messages. */
export interface MessagePage {
  readonly messages: readonly MessageReport[];
  /** The message that the next page starts behind, if there is one. */
  readonly next?: MessageId;
}

/** A cancellation of a whole message. */
export interface MessageCancellation extends Actor {
  readonly at: EpochMs;
  readonly reason?: string;
  /** The job that did it, and cancels its deliveries. */
  readonly jobId: string;
}

/** A message and how far its deliveries have come. */
export interface MessageReport {
  readonly message: Message;
  /**
   * Once an operator cancelled it: no work on it is claimed any more. What engines
   * hold they begin no more once they are told; see `StoreChange`.
   */
  readonly cancellation?: MessageCancellation;
  /** False while subscriptions are still being walked, by whoever holds a range. */
  readonly fannedOut: boolean;
  /** How many deliveries are in each state; states with none are left out. */
  readonly counts: Partial<Record<DeliveryState, number>>;
  /** How many of those that failed no mailbox took. Absent: none. */
  readonly unqueued?: number;
}
