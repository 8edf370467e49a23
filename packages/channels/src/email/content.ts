/** Writes the mails: subject and plain text for a recipient. */

import {
  confirmationLifetimeMs,
  type Message,
  type MessageTopic,
  type SubscriptionId,
  selectText,
} from "@carillon/core";
import { oneLine } from "../excerpt.ts";
import type { Links } from "../links.ts";

export interface MailContent {
  readonly subject: string;
  readonly text: string;
  /** Where one click ends the subscription; notifications alone have it. */
  readonly unsubscribeUrl?: string;
}

export function writeMail(
  message: Message,
  topic: MessageTopic,
  subscriptionId: SubscriptionId,
  links: Links,
): MailContent {
  const { content } = message;
  const title = titleOf(topic);
  switch (content.kind) {
    case "text":
    case "structure":
    case "event": {
      const unsubscribeUrl = links.unsubscriptionPage(subscriptionId);
      return {
        subject: oneLine(message.subject ?? "") || title,
        text: paragraphs(
          selectText(content, "email"),
          `To receive no more messages from ${title}, open this link:\n${unsubscribeUrl}`,
        ),
        unsubscribeUrl,
      };
    }
    case "confirmation":
      return {
        subject: `Confirm your subscription to ${title}`,
        text: paragraphs(
          topic.introduction,
          `You are invited to receive the messages of ${title} (${topic.urn}).`,
          `To confirm, open this link within ${linkHours} hours:\n${links.confirmationPage(content.token)}`,
          "If you do not confirm, you will receive no messages.",
        ),
      };
    case "unsubscription":
      return {
        subject: `You are unsubscribed from ${title}`,
        text: paragraphs(
          `You will receive no more messages of ${title} (${topic.urn}).`,
          `To subscribe again, open this link within ${linkHours} hours:\n${links.confirmationPage(content.token)}`,
        ),
      };
    default:
      return content satisfies never;
  }
}

/** What people call the topic. */
function titleOf(topic: MessageTopic): string {
  return oneLine(topic.displayName) || topic.name;
}

function paragraphs(...texts: readonly string[]): string {
  return `${texts.filter((text) => text !== "").join("\n\n")}\n`.toWellFormed();
}

const linkHours = confirmationLifetimeMs / 3_600_000;
