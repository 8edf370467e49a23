/** Writes the mails: subject and plain text for a recipient. */

import {
  confirmationLifetimeMs,
  type Message,
  type MessageTopic,
  type Recipient,
  type SubscriptionGeneration,
  selectText,
} from "@carillon/core";
import { excerpt, oneLine } from "../excerpt.ts";
import type { Links } from "../links.ts";
import { emailProtocol } from "./protocol.ts";

export interface MailContent {
  readonly subject: string;
  readonly text: string;
  /** Where one click ends the subscription; notifications alone have it. */
  readonly unsubscribeUrl?: string;
}

/**
 * `undefined` for what needs a topic or a subscription that is not there: only
 * a message that names its recipients itself has neither.
 */
export function writeMail(
  message: Message,
  recipient: Pick<Recipient, "subscriptionId" | "generation">,
  links: Links,
): MailContent | undefined {
  const { topic } = message;
  const { subscriptionId, generation = 0 } = recipient;
  if (message.audience === "direct") return writeDirectMail(message);
  if (topic === undefined || subscriptionId === undefined) return undefined;
  return writeTopicMail(message, topic, { subscriptionId, generation }, links);
}

/** Without a subscription there is nothing to end. */
function writeDirectMail({
  content,
  subject,
}: Message): MailContent | undefined {
  if (content.kind !== "text" && content.kind !== "structure") return undefined;
  const text = selectText(content, emailProtocol);
  const [firstLine = ""] = text.trimStart().split(/\r?\n/, 1);
  return {
    subject: oneLine(subject ?? "") || excerpt(firstLine, maxSubjectLength),
    text: paragraphs(text),
  };
}

/** Of its first line, where a mail has no subject of its own. */
const maxSubjectLength = 78;

function writeTopicMail(
  message: Message,
  topic: MessageTopic,
  subscription: SubscriptionGeneration,
  links: Links,
): MailContent {
  const { content } = message;
  const title = titleOf(topic);
  switch (content.kind) {
    case "text":
    case "structure":
    case "event":
    case "mail": {
      const unsubscribeUrl = links.unsubscriptionPage(subscription);
      return {
        subject: oneLine(message.subject ?? "") || title,
        text: paragraphs(
          selectText(content, emailProtocol),
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
          `To confirm, open this link within ${linkHours} hours:\n${links.confirmationPage(content.grant)}`,
          "If you do not confirm, you will receive no messages.",
        ),
      };
    case "unsubscription":
      return {
        subject: `You are unsubscribed from ${title}`,
        text: paragraphs(
          `You will receive no more messages of ${title} (${topic.urn}).`,
          `To subscribe again, open this link within ${linkHours} hours:\n${links.confirmationPage(content.grant)}`,
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
