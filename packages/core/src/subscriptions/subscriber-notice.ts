/** Messages to one subscription: what they say, and to whom they go. */

import type { MessageContent } from "../messages/message.ts";
import type { SubscriberNotice } from "../ports/subscription-store.ts";
import type { ClaimedNotice } from "../ports/work-store.ts";
import { type Subscription, toRecipient } from "./subscription.ts";

/** What a notice to a subscription says, once the store knows which it is. */
export function noticeContent(
  { kind, expiresAt, byCode }: SubscriberNotice,
  { id: subscriptionId, generation }: Pick<Subscription, "id" | "generation">,
): MessageContent {
  const grant = { subscriptionId, generation, expiresAt };
  return kind === "confirmation" && byCode
    ? { kind, grant, byCode }
    : { kind, grant };
}

/** The claim of a notice's delivery that was added as claimed: its first. */
export function claimNotice(
  notice: SubscriberNotice,
  subscription: Subscription,
  messageSeq: number,
): ClaimedNotice {
  const content = noticeContent(notice, subscription);
  return {
    message: { ...notice.message, content, seq: messageSeq },
    delivery: {
      messageSeq,
      recipient: toRecipient(subscription),
      state: "waiting",
      attempts: 0,
      fence: 1,
    },
  };
}
