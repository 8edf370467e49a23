import type { MessageId, ProjectId } from "../ids.ts";
import type { Delivery } from "../messages/delivery.ts";
import type { DeliveryState } from "../messages/delivery-state.ts";
import type { Message } from "../messages/message.ts";

/** What happened to messages, for people and programs that ask. */
export interface MessageReader {
  findMessage(
    projectId: ProjectId,
    id: MessageId,
  ): Promise<MessageReport | undefined>;
  /** Newest first, starting behind `before` (a message number). */
  listMessages(
    projectId: ProjectId,
    page: { readonly limit: number; readonly before?: number },
  ): Promise<readonly MessageReport[]>;
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

/** A message and how far its deliveries have come. */
export interface MessageReport {
  readonly message: Message;
  /** False while subscriptions are still being walked. */
  readonly fannedOut: boolean;
  /** How many deliveries are in each state; states with none are left out. */
  readonly counts: Partial<Record<DeliveryState, number>>;
}
