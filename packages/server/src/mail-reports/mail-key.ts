/** Which mail a report is about, and how Message-IDs name it. */

import type { MessageId } from "@carillon/core";

/** A mail: a message, and the number of its recipient there. */
export interface MailKey {
  readonly messageId: MessageId;
  readonly target: number;
}

/**
 * Reads `{message id}.{target}@…`, as our mails have it, with or without angle
 * brackets and domain. `undefined`: it is none of ours.
 */
export function parseMessageId(text: string): MailKey | undefined {
  const [, messageId, target] =
    /^<?([0-9a-f]{32})\.(\d{1,15})(?:@[^\s<>@]{1,255})?>?$/.exec(text) ?? [];
  return messageId === undefined
    ? undefined
    : // The pattern is what the brand promises.
      { messageId: messageId as MessageId, target: Number(target) };
}
