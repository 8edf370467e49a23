/**
 * What another program sent, checked: from a record of it to a stored message as
 * it would stand here. Of history much is taken that would not be sent; what
 * stores and readers cannot hold is refused. What is still to be sent is checked
 * as a send is.
 */

import { CarillonError } from "../errors.ts";
import type { MessageId, ProjectId } from "../ids.ts";
import type { Attachment } from "../messages/attachment.ts";
import type { Attempt, AttemptOutcome } from "../messages/delivery.ts";
import type { PartState } from "../messages/delivery-part.ts";
import { maxExternalIdLength } from "../messages/delivery-part.ts";
import { checkAttachments, mailLimits } from "../messages/mail.ts";
import {
  checkSubject,
  type ExtraData,
  type MessageContent,
  maxMessageBytes,
  maxTimeToLiveSeconds,
  messagePriorities,
} from "../messages/message.ts";
import {
  checkExtraData,
  checkRelatedObject,
  messageOptionLimits,
} from "../messages/message-options.ts";
import type {
  ImportedDelivery,
  ImportedMessage,
} from "../ports/message-import-store.ts";
import { fitsUtf8, isOneLine, isStorable } from "../text.ts";
import { addMs, type EpochMs } from "../time.ts";
import type { StoredChannel, StoredRelatedObject } from "./stored-message.ts";
import type { StoredMessageActor } from "./stored-messages.ts";
import type { StoredRequests } from "./stored-requests.ts";

/**
 * States that what is imported may have. What is `waiting` or `retrying` is sent;
 * whatever was not sent where it comes from, and is not to be, is `cancelled`.
 */
export const importStates = [
  "waiting",
  "retrying",
  "unknown",
  "sent",
  "delivered",
  "failed",
  "rejected",
  "debug",
  "cancelled",
] as const;

export type ImportState = (typeof importStates)[number];

/** What imported messages may be at most. */
export const importLimits = {
  /** Messages of a batch. */
  messages: 500,
  /** Characters of a name, and of a position. */
  nameLength: 200,
  /** Characters of a recipient, and of a sender. */
  addressLength: 320,
  /** Of history; a send takes fewer. */
  tagLength: messageOptionLimits.tagLength,
  /** Characters of a template's slug. */
  slugLength: 100,
  /** Of what is still to be sent as many as of a send. */
  relatedObjects: 1000,
  /** Characters of an error that are kept; the rest is cut off. */
  errorLength: 1000,
  /** Characters of a backend's name. */
  backendLength: 250,
  attempts: 1_000_000,
} as const;

/** A message of another program; texts, numbers and instants by their types only. */
export interface ImportRecord {
  /** Its id there, for what is said of it. */
  readonly id: string;
  readonly createdAt: EpochMs;
  readonly to: string;
  readonly text: string;
  /** The next four are of mails. */
  readonly subject?: string | undefined;
  readonly html?: string | undefined;
  readonly senderName?: string | undefined;
  readonly attachments?: readonly Attachment[] | undefined;
  readonly sender?: string | undefined;
  readonly templateSlug?: string | undefined;
  readonly tag?: string | undefined;
  readonly priority?: number | undefined;
  readonly extraData?: ExtraData | undefined;
  readonly extraSenderData?: ExtraData | undefined;
  readonly relatedObjects?: readonly StoredRelatedObject[] | undefined;
  readonly state: ImportState;
  /** Of a cancelled one: why. */
  readonly reason?: string | undefined;
  /** How many attempts were made. */
  readonly attempts: number;
  /** When it was handed over last. */
  readonly sentAt?: EpochMs | undefined;
  /** When it was changed last. */
  readonly changedAt?: EpochMs | undefined;
  readonly error?: string | undefined;
  /** What it was sent through. */
  readonly backend?: string | undefined;
  /** The backend's id of it. */
  readonly externalId?: string | undefined;
}

/** What a record is made into a message with. */
export interface ImportTerms {
  readonly projectId: ProjectId;
  readonly channel: StoredChannel;
  /** Checks what is still to be sent. */
  readonly requests: Pick<StoredRequests, "check" | "checkRecipient">;
  readonly billable: boolean;
  readonly actor: StoredMessageActor;
  readonly now: EpochMs;
  /** Of a message of the channel that was given none. */
  readonly lifeMs: number;
  readonly maxAttachmentBytes?: number | undefined;
  readonly newMessageId: () => MessageId;
}

/** @throws CarillonError whose message says what of it cannot be kept */
export async function toImportedMessage(
  record: ImportRecord,
  terms: ImportTerms,
): Promise<ImportedMessage> {
  const { channel, billable, now, lifeMs } = terms;
  const { createdAt, state } = record;
  if (createdAt > addMs(now, maxAheadMs)) {
    throw invalid("createdAt", "it is ahead of this server's clock");
  }
  const isDue = state === "waiting" || state === "retrying";
  const { endpoint, content, attachments, dueUntil } = isDue
    ? await checkDue(record, terms)
    : checkHistory(record, terms);
  return {
    message: {
      ...content,
      id: terms.newMessageId(),
      projectId: terms.projectId,
      audience: "direct",
      createdAt,
      expiresAt: addMs(createdAt, lifeMs),
    },
    recipient: { protocol: channel, endpoint, billable },
    delivery: toDelivery(record, terms, dueUntil),
    relatedObjects: checkObjects(record.relatedObjects ?? []),
    attachments,
  };
}

/** Of a record: to whom, and what. */
interface CheckedRecord {
  readonly endpoint: string;
  /** What the message has besides what the import gives it. */
  readonly content: Omit<
    ImportedMessage["message"],
    "id" | "projectId" | "audience" | "createdAt" | "expiresAt"
  >;
  readonly attachments: readonly Attachment[];
  /** Of what is still to be sent: until when it may be. */
  readonly dueUntil?: EpochMs;
}

/** What is still to be sent is checked, and made, as a send is. */
async function checkDue(
  record: ImportRecord,
  { channel, projectId, requests }: ImportTerms,
): Promise<CheckedRecord> {
  const { text, subject, html, attachments, senderName } = record;
  const { tag, priority, relatedObjects, sender } = record;
  const templateSlug = orAbsent(record.templateSlug, checkSlug);
  const isMail = channel === "email";
  const endpoint = requests.checkRecipient(record.to);
  const { message, attachments: files } = await requests.check(
    projectId,
    isMail ? { text, subject, html: given(html), attachments } : { text },
    {
      tag: given(tag),
      priority,
      relatedObjects,
      extraData: record.extraData,
      sender: given(sender),
      ...(isMail &&
        given(senderName) !== undefined && { email: { senderName } }),
      // It waited already.
      sendImmediately: true,
    },
    templateSlug,
  );
  // Its life begins now, not when it was made; its objects have their instants.
  const {
    relatedObjects: _,
    timeToLiveSeconds: __,
    expiresAt: dueUntil,
    ...content
  } = message;
  return { endpoint, content, attachments: files, dueUntil };
}

/** What was sent, or never will be, may be what would not be sent any more. */
function checkHistory(
  record: ImportRecord,
  { channel, maxAttachmentBytes }: ImportTerms,
): CheckedRecord {
  const isMail = channel === "email";
  const endpoint = checkLine("to", record.to, importLimits.addressLength);
  const attachments = isMail
    ? checkAttachments(record.attachments, { maxAttachmentBytes })
    : [];
  const attachmentBytes = attachments.reduce(
    (sum, { content: { length } }) => sum + length,
    0,
  );
  const subject = isMail ? checkSubject(record.subject) : undefined;
  const tag = orAbsent(record.tag, (it) =>
    checkLine("tag", it, importLimits.tagLength),
  );
  const templateSlug = orAbsent(record.templateSlug, checkSlug);
  const sender = orAbsent(record.sender, (it) =>
    checkLine("sender", it, importLimits.addressLength),
  );
  const extraData = orAbsent(record.extraData, (it) => checkExtraData(it));
  return {
    endpoint,
    content: {
      ...(subject !== undefined && { subject }),
      content: checkContent(record, isMail),
      ...(tag !== undefined && { tag }),
      ...(templateSlug !== undefined && { templateSlug }),
      ...(!isMail && sender !== undefined && { sms: { sender } }),
      ...(isMail && { email: toEmailOptions(record, sender) }),
      ...(attachmentBytes > 0 && { attachmentBytes }),
      ...(record.priority !== undefined && {
        priority: checkPriority(record.priority),
      }),
      ...(extraData !== undefined && { extraData }),
    },
    attachments,
  };
}

/** Clocks differ. */
const maxAheadMs = 86_400_000;

function checkContent(
  { text, html }: ImportRecord,
  isMail: boolean,
): MessageContent {
  checkText("text", text, maxMessageBytes);
  const hasHtml = isMail && html !== undefined && html !== "";
  if (!hasHtml) return { kind: "text", text };
  checkText("html", html, mailLimits.htmlBytes);
  return { kind: "mail", text, html };
}

/** A sender that is not allowed any more stays: it is what the mail had. */
function toEmailOptions(
  { senderName }: ImportRecord,
  from: string | undefined,
) {
  const name = orAbsent(senderName, (it) =>
    checkLine("senderName", it, importLimits.addressLength),
  );
  return {
    ...(from !== undefined && { from }),
    ...(name !== undefined && { senderName: name }),
  };
}

function toDelivery(
  record: ImportRecord,
  { actor, now }: ImportTerms,
  dueUntil: EpochMs | undefined,
): ImportedDelivery {
  const { state, backend, externalId, extraSenderData, reason } = record;
  const lastAttempt = toLastAttempt(record);
  const attempts = checkAttempts(record.attempts);
  const provider = orAbsent(backend, (it) =>
    checkLine("backend", it, importLimits.backendLength),
  );
  const senderData = orAbsent(extraSenderData, (it) =>
    checkExtraData(it, "extraSenderData"),
  );
  const partId = orAbsent(externalId, (it) =>
    checkLine("externalId", it, maxExternalIdLength),
  );
  return {
    state,
    attempts: lastAttempt ? Math.max(1, attempts) : attempts,
    ...(lastAttempt && { lastAttempt }),
    ...(provider !== undefined && { provider }),
    ...(provider !== undefined &&
      partId !== undefined &&
      lastAttempt && {
        part: { externalId: partId, state: partStates[state] },
      }),
    ...(senderData !== undefined && { senderData }),
    ...(dueUntil !== undefined && { nextAttemptAt: now, expiresAt: dueUntil }),
    ...(state === "cancelled" && {
      // So long an operator may still decide to send it.
      expiresAt: addMs(now, maxTimeToLiveSeconds * 1000),
      action: {
        at: now,
        action: "cancel",
        from: lastAttempt ? "retrying" : "waiting",
        to: "cancelled",
        ...actor,
        ...(reason !== undefined && {
          reason: checkLine("reason", reason, importLimits.nameLength),
        }),
      },
    }),
  };
}

/** What is known of the last attempt, if there was any. */
function toLastAttempt(record: ImportRecord): Attempt | undefined {
  const { state, attempts, sentAt, changedAt, createdAt, backend } = record;
  const error = orAbsent(record.error, (it) => {
    checkText("error", it, Number.POSITIVE_INFINITY);
    return it.slice(0, importLimits.errorLength).toWellFormed();
  });
  if (attempts === 0 && sentAt === undefined && error === undefined) {
    return undefined;
  }
  const outcome = outcomes[state];
  const isFailed = outcome === "failed" && sentAt === undefined;
  return {
    at: sentAt ?? changedAt ?? createdAt,
    durationMs: 0,
    ...(failedOutcomes.has(outcome) && { errorClass: "provider" }),
    ...(error !== undefined && { error }),
    ...(backend !== undefined && { provider: backend }),
    outcome: isFailed ? "rejected" : outcome,
  };
}

/** Of the last attempt. What was not handed over is not `failed` but `rejected`. */
const outcomes: Readonly<Record<ImportState, AttemptOutcome>> = {
  waiting: "deferred",
  retrying: "deferred",
  cancelled: "deferred",
  unknown: "unknown",
  sent: "accepted",
  delivered: "delivered",
  debug: "simulated",
  failed: "failed",
  rejected: "failed",
};

const failedOutcomes: ReadonlySet<AttemptOutcome> = new Set([
  "deferred",
  "failed",
]);

const partStates: Readonly<Record<ImportState, PartState>> = {
  waiting: "sent",
  retrying: "sent",
  cancelled: "sent",
  unknown: "sent",
  sent: "sent",
  debug: "sent",
  delivered: "delivered",
  failed: "failed",
  rejected: "rejected",
};

/** Each once. */
function checkObjects(
  list: readonly StoredRelatedObject[],
): readonly StoredRelatedObject[] {
  const { relatedObjects: most } = importLimits;
  if (list.length > most) {
    throw invalid(
      "relatedObjects",
      `there are ${list.length}, ${most} is the most`,
    );
  }
  const found = new Map<string, StoredRelatedObject>();
  for (const [n, object] of list.entries()) {
    const { type, id } = checkRelatedObject(object, `relatedObjects[${n}]`);
    const { createdAt, changedAt } = object;
    const key = `${type} ${id}`;
    if (!found.has(key)) found.set(key, { type, id, createdAt, changedAt });
  }
  return [...found.values()];
}

function checkPriority(value: number) {
  const found = messagePriorities.find((it) => it === value);
  if (found !== undefined) return found;
  throw invalid("priority", "1, 2 or 3 is expected");
}

function checkAttempts(value: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= importLimits.attempts) {
    return value;
  }
  throw invalid(
    "attempts",
    `a whole number from 0 to ${importLimits.attempts} is expected`,
  );
}

function checkText(name: string, value: string, maxBytes: number): void {
  if (!isStorable(value) || !value.isWellFormed()) {
    throw invalid(
      name,
      "it has the character U+0000, or half of a surrogate pair",
    );
  }
  if (fitsUtf8(value, maxBytes)) return;
  throw invalid(name, `it is longer than ${maxBytes / 1024} KB`);
}

function checkLine(name: string, value: string, most: number): string {
  if (value.length > most) {
    throw invalid(
      name,
      `it has ${value.length} characters, ${most} is the most`,
    );
  }
  if (isOneLine(value)) return value;
  throw invalid(name, "it has a control character, or half a character");
}

function checkSlug(slug: string): string {
  return checkLine("templateSlug", slug, importLimits.slugLength);
}

/** An empty text is none: so programs keep what they do not have. */
function orAbsent<Value, Checked>(
  value: Value | undefined,
  check: (value: Value) => Checked,
): Checked | undefined {
  return value === undefined || value === "" ? undefined : check(value);
}

function given(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}

/** @param problem completes "Invalid tag: …." */
function invalid(name: string, problem: string): CarillonError {
  return new CarillonError("IMPORT_INVALID", `Invalid ${name}: ${problem}.`);
}
