/** The view of a delivery that is a stored message. */

import { toDeliveryId } from "../ids.ts";
import type { Attempt, Delivery } from "../messages/delivery.ts";
import { type DeliveryState, isFinal } from "../messages/delivery-state.ts";
import {
  defaultPriority,
  type Message,
  selectText,
} from "../messages/message.ts";
import type { StoredRecord } from "../ports/stored-message-store.ts";
import type { ProtocolDefinition } from "../subscriptions/protocol.ts";
import { addMs, type EpochMs, toEpochMs } from "../time.ts";
import { pymessStateOf, wasExpiredByReceipt } from "./pymess-state.ts";
import {
  excerptLength,
  type StoredChannel,
  type StoredMessage,
  type StoredMessageSummary,
} from "./stored-message.ts";

export function toStoredMessage(
  channel: StoredChannel,
  definition: Pick<ProtocolDefinition, "name" | "variants">,
  record: StoredRecord,
): StoredMessage {
  const { message, delivery, attachments, relatedObjects } = record;
  const { content } = message;
  const { senderData: extraSenderData } = delivery;
  const sentAt = sentAtOf(delivery);
  const sender = senderOf(channel, message, delivery);
  const backend =
    delivery.provider ??
    (channel === "sms" ? message.sms?.provider : message.email?.backend);
  const error = errorOf(delivery);
  const pymessState = pymessStateOf(channel, delivery);
  const { name } = pymessState;
  return {
    id: toDeliveryId(message.id, delivery.target),
    channel,
    createdAt: message.createdAt,
    changedAt: changedAtOf(record),
    ...(sentAt !== undefined && { sentAt }),
    to: delivery.endpoint,
    ...(sender !== undefined && { sender }),
    text: selectText(content, definition),
    ...(message.subject !== undefined && { subject: message.subject }),
    ...(content.kind === "mail" && { html: content.html }),
    ...(message.email && { email: message.email }),
    attachments,
    ...(message.templateSlug !== undefined && {
      templateSlug: message.templateSlug,
    }),
    pymessState,
    ...(backend !== undefined && { backend }),
    ...(error !== undefined && { error }),
    ...(message.extraData && { extraData: message.extraData }),
    ...(extraSenderData && { extraSenderData }),
    ...(message.tag !== undefined && { tag: message.tag }),
    priority: message.priority ?? defaultPriority,
    relatedObjects,
    failed: name === "ERROR" || name === "ERROR_RETRY",
    isFinal:
      isFinal(delivery.state) ||
      (delivery.state === "sent" && !delivery.receiptExpected),
    isFailure: name === "ERROR" || isUpdateError(delivery),
    message,
    delivery,
  };
}

/** Of a record whose contents were cut to `excerptLength`, or are whole. */
export function toSummary(
  channel: StoredChannel,
  definition: Pick<ProtocolDefinition, "name" | "variants">,
  record: StoredRecord,
): StoredMessageSummary {
  const {
    text,
    html: _html,
    message: _message,
    ...summary
  } = toStoredMessage(channel, definition, record);
  return { ...summary, excerpt: excerptOf(text) };
}

/** pymess's ERROR_UPDATE, which mails have no name for. */
function isUpdateError(delivery: Delivery): boolean {
  return delivery.state === "rejected" || wasExpiredByReceipt(delivery);
}

/**
 * Of a text the sender ID that it was given, else the one that the provider says
 * it chose; of a mail the address of its sender.
 */
function senderOf(
  channel: StoredChannel,
  { sms, email }: Message,
  { senderData }: Delivery,
): string | undefined {
  const given = channel === "sms" ? sms?.sender : email?.from;
  if (given !== undefined) return given;
  const told = senderData?.sender;
  return typeof told === "string" ? told : undefined;
}

/** The latest of all that happened to it, as far as it is kept. */
function changedAtOf({
  message,
  delivery,
  relationsChangedAt,
}: StoredRecord): EpochMs {
  let latest: number = Math.max(message.createdAt, relationsChangedAt ?? 0);
  for (const { at, durationMs } of delivery.attempts) {
    latest = Math.max(latest, addMs(at, durationMs));
  }
  for (const { at } of delivery.receipts ?? []) latest = Math.max(latest, at);
  for (const { at } of delivery.actions ?? []) latest = Math.max(latest, at);
  return toEpochMs(latest);
}

/** When the last attempt began that was taken, or may have been. */
function sentAtOf({ attempts }: Delivery): EpochMs | undefined {
  return attempts.findLast(wasTaken)?.at;
}

function wasTaken({ outcome, errorClass }: Attempt): boolean {
  switch (outcome) {
    case "accepted":
    case "delivered":
    case "simulated":
    case "unknown":
    // Taken, and failed by its receipt.
    case "failed":
      return true;
    case "deferred":
    case "rejected":
    case "suppressed":
      return false;
    case undefined:
      // Of what costs no money no outcome is kept.
      return errorClass === undefined;
    default:
      return outcome satisfies never;
  }
}

/** States that nothing is wrong with, whatever was before. */
const goodStates: ReadonlySet<DeliveryState> = new Set([
  "sent",
  "delivered",
  "debug",
]);

/** Why the last attempt failed, or why none is made. */
function errorOf(delivery: Delivery): string | undefined {
  const { state, attempts, receipts = [], actions = [] } = delivery;
  if (goodStates.has(state)) return undefined;
  const last = attempts.at(-1);
  if (state === "cancelled") {
    const { userName, reason } =
      actions.findLast(({ action }) => action === "cancel") ?? {};
    if (userName === undefined) return last?.error ?? "It was cancelled.";
    return `Cancelled by ${userName}${reason ? `: ${reason}` : ""}`;
  }
  // A report on what was taken says more than the attempt.
  const report = receipts.findLast(
    ({ event }) => event === "fail" || event === "reject" || event === "expire",
  );
  if (report && last?.error === undefined) {
    const { text, code, event } = report;
    return text ?? code ?? `The carrier reported: ${event}.`;
  }
  return last?.error;
}

/** Whole characters: half of a surrogate pair is none. */
function excerptOf(text: string): string {
  if (text.length <= excerptLength) return text;
  return [...text.slice(0, 2 * excerptLength)].slice(0, excerptLength).join("");
}
