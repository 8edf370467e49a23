/**
 * Stored messages of a channel, on the store and the engine that all messages
 * have: what is sent here is a direct message like any other, found again as
 * single deliveries.
 *
 * Crash before the commit: the sender gets no answer, nothing is kept. Crash
 * behind it: the deliveries are on disk, and the next engine sends them.
 */

import type { DeliveryActions } from "../engine/delivery-actions.ts";
import {
  type DirectIntake,
  type RepeatedMessage,
  toKey,
  toRepeated,
} from "../engine/direct-intake.ts";
import { CarillonError } from "../errors.ts";
import {
  type DeliveryId,
  type MessageId,
  type ProjectId,
  parseDeliveryId,
  toDeliveryId,
} from "../ids.ts";
import { startOf } from "../messages/default-life.ts";
import type { Delivery } from "../messages/delivery.ts";
import type {
  DeliveryAction,
  DeliveryState,
} from "../messages/delivery-state.ts";
import type { NewMessage, RelatedObject } from "../messages/message.ts";
import {
  checkRelatedObjects,
  messageOptionLimits,
} from "../messages/message-options.ts";
import type { Clock } from "../ports/clock.ts";
import type {
  DeliveryStore,
  DirectRecipient,
} from "../ports/delivery-store.ts";
import type { MessageReader } from "../ports/message-store.ts";
import type {
  StoredMessageStore,
  StoredPosition,
  StoredRecord,
} from "../ports/stored-message-store.ts";
import type { Protocols } from "../subscriptions/protocol.ts";
import { addMs } from "../time.ts";
import { batchReasonOf } from "./batch-mode.ts";
import type { OutcomeWaits } from "./outcome-waits.ts";
import {
  conditionsOf,
  type PymessStateName,
  type StateCondition,
} from "./pymess-state.ts";
import {
  excerptLength,
  type StoredChannel,
  type StoredMessage,
  type StoredRelatedObject,
} from "./stored-message.ts";
import type {
  SendRefusal,
  StoredMessageActor,
  StoredMessageFilter,
  StoredMessageOptions,
  StoredMessages,
  StoredPageRequest,
  TemplateSending,
} from "./stored-messages.ts";
import {
  type CheckedStored,
  createStoredRequests,
  type StoredChannelRules,
  type StoredContent,
} from "./stored-requests.ts";
import type { StoredTemplate, TemplateRenderer } from "./stored-templates.ts";
import { toStoredMessage, toSummary } from "./to-stored-message.ts";

/** What stored messages of a channel are built from. */
export interface StoredMessagesPorts {
  readonly channel: StoredChannel;
  readonly store: StoredMessageStore &
    Pick<MessageReader, "findMessage" | "listDeliveries"> &
    Pick<DeliveryStore, "findMessageBySeq">;
  readonly direct: DirectIntake;
  readonly actions: Pick<DeliveryActions, "act">;
  readonly templates: TemplateRenderer;
  readonly waits: Pick<OutcomeWaits, "begin">;
  readonly protocols: Protocols;
  readonly clock: Pick<Clock, "now" | "nextTurn">;
  readonly rules?: StoredChannelRules;
}

/** Looked at for one page of a list. */
const maxScanned = 5000;

/** Messages of a page. */
const maxListed = 1000;

/** Deliveries that are read in one turn of the event loop. */
const readPerTurn = 500;

/** What came of a send: the messages, or why there are none. */
type Sent =
  | { readonly messages: readonly StoredMessage[] }
  | { readonly refusals: readonly SendRefusal[] };

/** Builds the stored messages of a channel; it starts nothing. */
export function createStoredMessages(
  ports: StoredMessagesPorts,
): StoredMessages {
  const { channel, store, direct, protocols, clock } = ports;
  const { rules = {} } = ports;
  const requests = createStoredRequests({
    channel,
    direct,
    protocols,
    clock,
    rules,
  });

  function view(record: StoredRecord): StoredMessage {
    const definition = protocols.find(channel) ?? { name: channel };
    return toStoredMessage(channel, definition, record);
  }

  /** Keeps what was checked, and waits if it is asked to. */
  async function keep(
    checked: CheckedStored,
    recipients: readonly DirectRecipient[],
    repeatable: StoredMessageOptions["repeatable"],
    unlessSent?: { readonly templateSlug: string },
  ): Promise<Sent> {
    const { message, attachments, isBatched, waitMs } = checked;
    // Begun before it is kept: its outcome may be there before the answer is.
    using wait =
      waitMs > 0 && !isBatched && !isLater(message, waitMs)
        ? ports.waits.begin(message.id, recipients.length)
        : undefined;
    const accepted = await store.acceptStored(message, recipients, {
      ...(attachments.length > 0 && { attachments }),
      ...(unlessSent && { unlessSent }),
      ...(isBatched && { isBatched }),
      ...(repeatable && { key: toKey(repeatable, message) }),
    });
    if (accepted.kind === "sent_before") return { refusals: ["duplicate"] };
    if (accepted.kind === "repeated") {
      // There is no other way to it.
      if (repeatable === undefined) throw new Error("Nothing was repeated.");
      const earlier = toRepeated(repeatable, accepted.earlier);
      return await repeat(message.projectId, earlier);
    }
    direct.onAccepted(message, isBatched);
    const { seq } = accepted;
    if (wait) {
      await wait.within(waitMs);
      return { messages: await readAll(message.projectId, seq) };
    }
    return { messages: await asKept(checked, seq, recipients) };
  }

  /** No attempt is made for as long. */
  function isLater({ notBefore }: NewMessage, waitMs: number): boolean {
    return notBefore !== undefined && notBefore > addMs(clock.now(), waitMs);
  }

  /** As they are just now: nothing has happened to them. */
  async function asKept(
    { message, attachments, isBatched }: CheckedStored,
    seq: number,
    recipients: readonly DirectRecipient[],
  ): Promise<readonly StoredMessage[]> {
    const infos = attachments.map(({ content, ...info }) => ({
      ...info,
      size: content.byteLength,
    }));
    const { createdAt, relatedObjects = [] } = message;
    const kept = {
      message: { ...message, seq },
      attachments: infos,
      relatedObjects: relatedObjects.map((object) => ({
        ...object,
        createdAt,
        changedAt: createdAt,
      })),
    };
    const waits = waitOf(message, channel, isBatched);
    const messages: StoredMessage[] = [];
    for (const [target, { protocol, endpoint }] of recipients.entries()) {
      if (target % readPerTurn === readPerTurn - 1) await clock.nextTurn();
      const delivery: Delivery = {
        messageSeq: seq,
        target,
        protocol,
        endpoint,
        state: "waiting",
        attemptCount: 0,
        attempts: [],
        ...waits,
      };
      messages.push(view({ ...kept, delivery }));
    }
    return messages;
  }

  /** All of a message, in the order of its recipients. */
  async function readAll(
    projectId: ProjectId,
    messageSeq: number,
  ): Promise<readonly StoredMessage[]> {
    const first = await store.findStored(projectId, { messageSeq, target: 0 });
    if (!first) return [];
    const messages = [view(first)];
    for (let after = 0; ; ) {
      const page = { limit: readPerTurn, after };
      const deliveries = await store.listDeliveries(messageSeq, page);
      for (const delivery of deliveries) {
        messages.push(view({ ...first, delivery }));
      }
      const last = deliveries.at(-1);
      if (!last || deliveries.length < readPerTurn) return messages;
      after = last.target;
      await clock.nextTurn();
    }
  }

  /** What came of the request that this one repeats. */
  async function repeat(
    projectId: ProjectId,
    { messageId, repeatsRequestId }: RepeatedMessage,
  ): Promise<Sent> {
    const seq = await seqOf(projectId, messageId);
    const messages = seq === undefined ? [] : await readAll(projectId, seq);
    if (messages.length === 0) {
      throw new CarillonError(
        "MESSAGE_NOT_FOUND",
        "The message of the first request with this Idempotency-Key is gone.",
      );
    }
    return { messages: messages.map((it) => ({ ...it, repeatsRequestId })) };
  }

  async function seqOf(
    projectId: ProjectId,
    id: MessageId,
  ): Promise<number | undefined> {
    return (await store.findMessage(projectId, id))?.message.seq;
  }

  async function findRecord(
    projectId: ProjectId,
    id: string,
  ): Promise<StoredRecord | undefined> {
    const parsed = parseDeliveryId(id);
    const messageSeq = parsed && (await seqOf(projectId, parsed.message));
    if (messageSeq === undefined || parsed === undefined) return undefined;
    const { target } = parsed;
    const record = await store.findStored(projectId, { messageSeq, target });
    return record?.delivery.protocol === channel ? record : undefined;
  }

  /** @throws CarillonError DELIVERY_NOT_FOUND */
  async function getRecord(
    projectId: ProjectId,
    id: string,
  ): Promise<StoredRecord> {
    const record = await findRecord(projectId, id);
    if (record) return record;
    throw new CarillonError(
      "DELIVERY_NOT_FOUND",
      `There is no stored message of that id for ${channel}.`,
    );
  }

  async function act(
    action: DeliveryAction,
    projectId: ProjectId,
    id: string,
    { userId, userName }: StoredMessageActor,
    reason: string | undefined,
  ): Promise<StoredMessage> {
    await getRecord(projectId, id);
    const request = { action, ...(reason !== undefined && { reason }) };
    await ports.actions.act(projectId, id, request, { userId, userName });
    return view(await getRecord(projectId, id));
  }

  function toMessage(sent: Sent): StoredMessage {
    const [message] = "messages" in sent ? sent.messages : [];
    if (message) return message;
    throw new Error("A message without a recipient was stored.");
  }

  const toRecipient = (to: unknown): DirectRecipient => ({
    protocol: channel,
    endpoint: requests.checkRecipient(to),
    billable: direct.isBillable(channel),
  });

  return {
    async send(projectId, request) {
      const { repeatable } = request;
      const sent = await direct.once(
        repeatable,
        async () => {
          const { to, text, subject, html, attachments, ...options } = request;
          const recipient = toRecipient(to);
          const content = { text, subject, html, attachments };
          const checked = await requests.check(projectId, content, options);
          return await keep(checked, [recipient], repeatable);
        },
        (earlier) => repeat(projectId, earlier),
      );
      return toMessage(sent);
    },
    async sendBulk(projectId, request) {
      const { repeatable } = request;
      const sent = await direct.once(
        repeatable,
        async () => {
          const { to, text, subject, html, attachments, ...options } = request;
          const content = { text, subject, html, attachments };
          // First what is soon looked at.
          const checked = await requests.check(projectId, content, options);
          const recipients = await requests.checkRecipients(to);
          return await keep(checked, recipients, repeatable);
        },
        (earlier) => repeat(projectId, earlier),
      );
      return "messages" in sent ? sent.messages : [];
    },
    async sendTemplate(projectId, request): Promise<TemplateSending> {
      const { repeatable } = request;
      const sent = await direct.once(
        repeatable,
        async (): Promise<Sent> => {
          const { to, slug, context, attachments = [], ...options } = request;
          const recipient = toRecipient(to);
          const objects = checkRelatedObjects(options.relatedObjects ?? []);
          const template = await ports.templates.get(projectId, channel, slug);
          const refusals = await ports.templates.refusals(
            template,
            projectId,
            objects,
          );
          if (refusals.length > 0) return { refusals };
          const { text, html, subject } = await ports.templates.render(
            projectId,
            template,
            context,
            recipient.endpoint,
          );
          const content: StoredContent = {
            text,
            html,
            subject,
            attachments: [...(template.attachments ?? []), ...attachments],
          };
          const checked = await requests.check(
            projectId,
            content,
            withSenderOf(template, options),
            template.slug,
          );
          const unlessSent = template.allowsDuplicates
            ? undefined
            : { templateSlug: template.slug };
          return await keep(checked, [recipient], repeatable, unlessSent);
        },
        (earlier) => repeat(projectId, earlier),
      );
      return "refusals" in sent ? sent : { message: toMessage(sent) };
    },
    async find(projectId, id) {
      const record = await findRecord(projectId, id);
      return record && view(record);
    },
    async list(projectId, filter, page) {
      const { records, ...next } = await listRecords(projectId, filter, page);
      return { messages: records.map(view), ...next };
    },
    async listSummaries(projectId, filter, page) {
      const { records, ...next } = await listRecords(
        projectId,
        filter,
        page,
        excerptLength,
      );
      const definition = protocols.find(channel) ?? { name: channel };
      return {
        messages: records.map((it) => toSummary(channel, definition, it)),
        ...next,
      };
    },
    cancel: (projectId, id, actor, reason) =>
      act("cancel", projectId, id, actor, reason),
    retry: (projectId, id, actor, reason) =>
      act("resend", projectId, id, actor, reason),
    wasSent: async (projectId, slug, relatedObjects) =>
      store.wasSent(
        projectId,
        channel,
        slug,
        checkRelatedObjects(relatedObjects),
      ),
    async addRelatedObjects(projectId, id, objects) {
      const { message } = await getRecord(projectId, id);
      return await changeObjects(message.seq, {
        add: checkRelatedObjects(objects),
      });
    },
    async setRelatedObjects(projectId, id, objects, type) {
      const { message } = await getRecord(projectId, id);
      const add = checkRelatedObjects(objects);
      if (type !== undefined) checkType(add, type);
      const replace = type === undefined ? (true as const) : { type };
      return await changeObjects(message.seq, { add, replace });
    },
  };

  async function listRecords(
    projectId: ProjectId,
    { relatedObjects, to, state, pymessState, ...rest }: StoredMessageFilter,
    { limit, before }: StoredPageRequest,
    excerpt?: number,
  ) {
    if (!Number.isInteger(limit) || limit < 1 || limit > maxListed) {
      throw new CarillonError(
        "PAGE_INVALID",
        `Invalid limit: a whole number from 1 to ${maxListed} is expected.`,
      );
    }
    const start =
      before === undefined ? undefined : await positionOf(projectId, before);
    const states = statesOf(channel, state, pymessState);
    const { records, next } = await store.listStored(
      projectId,
      channel,
      {
        ...rest,
        ...(states && { states }),
        ...(relatedObjects && {
          relatedObjects: checkRelatedObjects(relatedObjects),
        }),
        ...(to !== undefined && { to: requests.checkRecipient(to) }),
      },
      {
        limit,
        maxScanned,
        ...(start && { before: start }),
        ...(excerpt !== undefined && { excerptLength: excerpt }),
      },
    );
    const last = next && (await idOf(next));
    return { records, ...(last && { next: last }) };
  }

  async function changeObjects(
    messageSeq: number,
    change: {
      readonly add: readonly RelatedObject[];
      readonly replace?: true | { readonly type: string };
    },
  ): Promise<readonly StoredRelatedObject[]> {
    const { relatedObjects: most } = messageOptionLimits;
    const changed = await store.changeRelatedObjects(messageSeq, {
      ...change,
      most,
      at: clock.now(),
    });
    if (changed.kind === "changed") return changed.relatedObjects;
    throw new CarillonError(
      "MESSAGE_OPTION_INVALID",
      `Invalid relatedObjects: the message would be about ${changed.count}, ${most} is the most.`,
    );
  }

  /** Where a list goes on: behind a delivery, be it of this channel or not. */
  async function positionOf(
    projectId: ProjectId,
    id: string,
  ): Promise<StoredPosition> {
    const parsed = parseDeliveryId(id);
    const messageSeq = parsed && (await seqOf(projectId, parsed.message));
    if (messageSeq !== undefined && parsed !== undefined) {
      return { messageSeq, target: parsed.target };
    }
    throw new CarillonError(
      "DELIVERY_NOT_FOUND",
      "There is no stored message of that id to go on behind.",
    );
  }

  async function idOf({
    messageSeq,
    target,
  }: StoredPosition): Promise<DeliveryId | undefined> {
    const message = await store.findMessageBySeq(messageSeq);
    // Behind a message that names nobody is where the first of it would be.
    return message && toDeliveryId(message.id, Math.max(target, 0));
  }
}

/** Why what was just kept does not go at once, if it does not. */
function waitOf(
  message: NewMessage,
  channel: StoredChannel,
  isBatched: boolean,
): Pick<Delivery, "nextAttemptAt" | "waitReason"> {
  if (!isBatched) return { nextAttemptAt: startOf(message) };
  return {
    nextAttemptAt: message.expiresAt,
    waitReason: batchReasonOf(channel),
  };
}

/** With the sender of the template, where none is given. */
function withSenderOf(
  { sender, senderName }: StoredTemplate,
  options: StoredMessageOptions,
): StoredMessageOptions {
  const { email } = options;
  const isObject =
    typeof email === "object" && email !== null && !Array.isArray(email);
  // What is no object is refused where it is checked.
  if (email !== undefined && email !== null && !isObject) return options;
  const from = options.sender ?? undefined;
  const given = {
    ...(sender !== undefined && from === undefined && { from: sender }),
    ...(senderName !== undefined && { senderName }),
    ...(isObject && email),
  };
  if (Object.keys(given).length === 0) return options;
  return { ...options, email: given };
}

/** `undefined`: in all of them. */
function statesOf(
  channel: StoredChannel,
  state: DeliveryState | undefined,
  name: PymessStateName | undefined,
): readonly StateCondition[] | undefined {
  if (name === undefined) return state === undefined ? undefined : [{ state }];
  return conditionsOf(channel, name).filter(
    (it) => state === undefined || it.state === state,
  );
}

/** @throws CarillonError MESSAGE_OPTION_INVALID */
function checkType(objects: readonly RelatedObject[], type: string): void {
  const other = objects.find((it) => it.type !== type);
  if (other === undefined) return;
  throw new CarillonError(
    "MESSAGE_OPTION_INVALID",
    `Invalid relatedObjects: those of type ${type} are to be put in place, and one of type ${other.type} was given.`,
  );
}
