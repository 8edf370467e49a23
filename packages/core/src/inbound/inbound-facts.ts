/** What is told of a text from a phone, over the stream and the event topic. */

import type { NewMessage } from "../messages/message.ts";
import type { Occurrence } from "../ports/change-feed.ts";
import type { NewInboundMessage } from "./inbound-message.ts";

/** @param notification what it is published as, if a topic is bound */
export function inboundFacts(
  {
    id,
    provider,
    externalId,
    from,
    to,
    text,
    keyword,
    receivedAt,
    messageId,
  }: NewInboundMessage,
  notification: Pick<NewMessage, "topic"> | undefined,
): Occurrence["about"] {
  const topicUrn = notification?.topic?.urn;
  return {
    inboundId: id,
    provider,
    ...(externalId !== undefined && { externalId }),
    from,
    ...(to !== undefined && { to }),
    text,
    ...(keyword !== undefined && { keyword }),
    receivedAt: new Date(receivedAt).toISOString(),
    ...(topicUrn !== undefined && { topicUrn }),
    ...(messageId !== undefined && { messageId }),
  };
}
