/** Writes the text messages: what a phone shows. */

import {
  confirmationLifetimeMs,
  type Message,
  type MessageTopic,
  selectText,
} from "@carillon/core";
import { oneLine } from "../excerpt.ts";
import type { Links } from "../links.ts";
import { smsProtocol } from "./protocol.ts";

/** SMN sends no longer ones, and a text is never cut off silently. */
export const maxTextCharacters = 1000;

/**
 * The text alone: no subject, and no link to leave, which the invitation has.
 * `undefined` for an invitation without a topic.
 */
export function writeText(message: Message, links: Links): string | undefined {
  const { content, topic } = message;
  switch (content.kind) {
    case "text":
    case "structure":
    case "event":
    case "mail":
      return selectText(content, smsProtocol).toWellFormed();
    case "confirmation":
      if (content.byCode) {
        return topic && writeCode(links.confirmationCode(content.grant), topic);
      }
      return (
        topic &&
        joinTexts(
          asSentence(topic.introduction),
          `Confirm your subscription to ${titleOf(topic)} within ${linkHours} hours:`,
          links.confirmationPage(content.grant),
        )
      );
    case "unsubscription":
      return (
        topic &&
        joinTexts(
          `You are unsubscribed from ${titleOf(topic)}. To subscribe again within ${linkHours} hours:`,
          links.confirmationPage(content.grant),
        )
      );
    default:
      return content satisfies never;
  }
}

function writeCode(code: string, topic: MessageTopic): string {
  return joinTexts(
    asSentence(topic.introduction),
    `${code} is your code to subscribe to ${titleOf(topic)}. It is good for ${linkHours} hours.`,
  );
}

function titleOf(topic: MessageTopic): string {
  return oneLine(topic.displayName) || topic.name;
}

/** With a full stop where the owner wrote none: another sentence follows. */
function asSentence(text: string): string {
  const line = oneLine(text);
  return line === "" || /[.!?…:;。！？؟।]$/u.test(line) ? line : `${line}.`;
}

function joinTexts(...texts: readonly string[]): string {
  return texts.map(oneLine).filter(Boolean).join(" ");
}

const linkHours = confirmationLifetimeMs / 3_600_000;
