/** Writes the mails: subject, text and HTML for a recipient. */

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
  readonly html?: string;
  /**
   * Where one click ends the subscription: of notifications, and of mails whose
   * publisher gave one.
   */
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

/** Without a subscription there is nothing of ours to end. */
function writeDirectMail({
  content,
  subject,
  email,
}: Message): MailContent | undefined {
  const { kind } = content;
  if (kind !== "text" && kind !== "structure" && kind !== "mail") {
    return undefined;
  }
  const text = selectText(content, emailProtocol);
  const [firstLine = ""] = text.trimStart().split(/\r?\n/, 1);
  const unsubscribeUrl = email?.unsubscribeUrl;
  return {
    subject: oneLine(subject ?? "") || excerpt(firstLine, maxSubjectLength),
    text: paragraphs(text),
    ...(kind === "mail" && { html: content.html.toWellFormed() }),
    ...(unsubscribeUrl !== undefined && { unsubscribeUrl }),
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
          `${wayOut(title)}\n${unsubscribeUrl}`,
        ),
        ...(content.kind === "mail" && {
          html: withWayOut(content.html.toWellFormed(), title, unsubscribeUrl),
        }),
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

function wayOut(title: string): string {
  return `To receive no more messages from ${title}, open this link:`;
}

/** At the end of the page, wherever its author closed that. */
function withWayOut(html: string, title: string, url: string): string {
  const paragraph = `<p>${escapeHtml(wayOut(title))}<br><a href="${escapeHtml(url)}">${escapeHtml(url)}</a></p>\n`;
  const end = html.search(/<\/body\b/i);
  return end < 0
    ? `${html}\n${paragraph}`
    : `${html.slice(0, end)}${paragraph}${html.slice(end)}`;
}

function escapeHtml(text: string): string {
  return text.replace(
    /[&<>"']/g,
    (character) => `&#${character.charCodeAt(0)};`,
  );
}

/** What people call the topic. */
function titleOf(topic: MessageTopic): string {
  return oneLine(topic.displayName) || topic.name;
}

function paragraphs(...texts: readonly string[]): string {
  return `${texts.filter((text) => text !== "").join("\n\n")}\n`.toWellFormed();
}

const linkHours = confirmationLifetimeMs / 3_600_000;
