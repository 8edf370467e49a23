/** A text of the gateway as backends and routers see it. */

import { unrecordedPriority } from "../message-record.ts";
import type { OutgoingMessage } from "../outgoing-message.ts";
import type { BackendMessage } from "./backend.ts";

/** What a message does not say itself. */
export interface BackendMessageDefaults {
  /** Of a message without a record. */
  readonly id: string;
  /** Of a message that names no sender. */
  readonly sender?: string | undefined;
  readonly chosenId?: string | undefined;
}

/** A copy: whoever changes it changes nothing of ours. */
export function toBackendMessage(
  message: OutgoingMessage,
  defaults: BackendMessageDefaults,
): BackendMessage {
  const { record, dst, body, src, providerOptions, providerParams } = message;
  const { senderId, messageClass, expires } = providerOptions;
  const sender = senderId || src || defaults.sender;
  const { chosenId } = defaults;
  return {
    id: record?.id ?? defaults.id,
    to: record?.to ?? `+${dst}`,
    text: body,
    ...(sender && { sender }),
    priority: record?.priority ?? unrecordedPriority,
    ...(record?.tag !== undefined && { tag: record.tag }),
    extraData: structuredClone(record?.extraData ?? {}),
    relatedObjects: (record?.relatedObjects ?? []).map((it) => ({ ...it })),
    ...(messageClass !== null && { class: messageClass }),
    ...(expires !== null && { validityMinutes: expires }),
    params: structuredClone(providerParams),
    ...(chosenId !== undefined && { chosenId }),
  };
}
