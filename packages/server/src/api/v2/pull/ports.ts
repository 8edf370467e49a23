/** What the routes of pull subscribers work with. */

import type {
  Clock,
  DeliveryStore,
  Mailboxes,
  MessageLives,
  MessageQueueStore,
  MessageReader,
  PullPublishers,
  PullSubscribers,
  Topics,
} from "@carillon/core";

export interface PullPorts {
  readonly mailboxes: Mailboxes;
  readonly pullSubscribers: PullSubscribers;
  readonly pullPublishers: PullPublishers;
  /** What was not confirmed in time. */
  readonly deadMessages: Pick<
    MessageQueueStore,
    "listDeadMessages" | "redriveMessages"
  > &
    Pick<DeliveryStore, "findMessageBySeq"> &
    Pick<MessageReader, "findMessage">;
  readonly topics: Topics;
  readonly lives: MessageLives;
  readonly clock: Clock;
}
