/**
 * `carillon.sms` and `carillon.email`: the stored messages of the first project,
 * for the program that the service is part of. Rules are core's; here are
 * instants as `Date`, plain records, and a wait for the first attempt.
 */

import {
  CarillonError,
  checkRelatedObject,
  type EpochMs,
  isEpochMs,
  type ProjectId,
  type RelatedObject,
  type StoredBulkRequest,
  type StoredChannel,
  type StoredMessageFilter,
  type StoredMessageRequest,
  type StoredMessages,
  type StoredTemplateRequest,
} from "@carillon/core";
import {
  type MessageRecord,
  type RelatedObjectRecord,
  toMessageRecord,
  toRelatedObjectRecord,
} from "./message-record.ts";
import {
  invalid,
  type MessageQuery,
  membersOf,
  type RelatedObjectKey,
  requestMembers,
  type SendOptions,
  type TemplateContent,
} from "./message-requests.ts";

/** A page of messages, newest first; `next` is where the one behind begins. */
export interface MessageRecordPage {
  readonly messages: readonly MessageRecord[];
  readonly next?: string;
}

/** Objects that messages are about. */
export interface OwnRelatedObjects {
  /**
   * Adds those that the message is not about yet; answers all that it has then.
   *
   * @throws CarillonError DELIVERY_NOT_FOUND, MESSAGE_OPTION_INVALID
   */
  add(
    id: string,
    objects: readonly RelatedObjectKey[],
  ): Promise<readonly RelatedObjectRecord[]>;
  /**
   * Puts these in place of those that it is about; with a type, of those of it.
   *
   * @throws CarillonError DELIVERY_NOT_FOUND, MESSAGE_OPTION_INVALID
   */
  set(
    id: string,
    objects: readonly RelatedObjectKey[],
    options?: { readonly type?: string | undefined },
  ): Promise<readonly RelatedObjectRecord[]>;
}

/**
 * Stored messages of one channel.
 *
 * Errors have a stable `code`, and then nothing was stored: RequestError
 * REQUEST_INVALID for what is no request, CarillonError of the codes that sending
 * has otherwise, SHUTTING_DOWN once the service closes.
 */
export interface OwnMessages<Content, Options> {
  /**
   * Stores a message, sends it, and answers it with the outcome of the first
   * attempt if that is there within `waitMs` (default 10,000): a failure to send
   * is no error, but in `state` and `error`. In batch mode nothing is sent yet.
   */
  send(
    request: { readonly to: string } & Content & SendOptions,
  ): Promise<MessageRecord>;
  /**
   * The same with what a template makes of a context; `undefined` when it may not
   * be sent: it is not active, was sent before about these objects, or one of
   * them is disallowed.
   *
   * @throws CarillonError TEMPLATE_NOT_FOUND, TEMPLATE_RENDERING_FAILED, and those
   * of `send`
   */
  sendTemplate(
    request: { readonly to: string } & TemplateContent & Options & SendOptions,
  ): Promise<MessageRecord | undefined>;
  /**
   * The same text to several recipients, each with a message of their own: all or
   * none are stored. Answered in the order of `to`, once they are on disk
   * (`waitMs` is 0 by default).
   */
  sendBulk(
    request: { readonly to: readonly string[] } & Content & SendOptions,
  ): Promise<readonly MessageRecord[]>;
  find(id: string): Promise<MessageRecord | undefined>;
  /** All that match, newest first, read page by page as they are asked for. */
  list(query?: MessageQuery): AsyncIterable<MessageRecord>;
  /**
   * One page of them. Default: the first 100; a page may have fewer. They are
   * whole: the texts and HTML of all of them are in memory, of a bulk once.
   */
  page(
    query?: MessageQuery,
    page?: {
      /** 1 to 1000. */
      readonly limit?: number | undefined;
      /** The `next` of the page in front. */
      readonly before?: string | undefined;
    },
  ): Promise<MessageRecordPage>;
  /**
   * What has not started is not started any more.
   *
   * @throws CarillonError DELIVERY_NOT_FOUND, DELIVERY_STATE_CONFLICT
   */
  cancel(id: string, reason?: string): Promise<MessageRecord>;
  /**
   * Makes another attempt, now.
   *
   * @throws CarillonError DELIVERY_NOT_FOUND, DELIVERY_STATE_CONFLICT
   */
  retry(id: string, reason?: string): Promise<MessageRecord>;
  /** Whether a message of this template was made about all of these, ever. */
  wasSent(
    slug: string,
    relatedObjects: RelatedObjectKey | readonly RelatedObjectKey[],
  ): Promise<boolean>;
  readonly relatedObjects: OwnRelatedObjects;
}

export interface OwnMessagesPorts {
  readonly channel: StoredChannel;
  readonly projectId: ProjectId;
  readonly messages: StoredMessages;
  /** False once the service began to close. */
  readonly isOpen: () => boolean;
}

const defaultWaitMs = 10_000;
const pageLimit = 100;

/** Who acts, in the history of a delivery. */
const program = { userId: "program", userName: "program" };

export function createOwnMessages<Content, Options>({
  channel,
  projectId,
  messages,
  isOpen,
}: OwnMessagesPorts): OwnMessages<Content, Options> {
  function checkOpen(): void {
    if (!isOpen()) throw new CarillonError("SHUTTING_DOWN");
  }

  async function page(
    query: MessageQuery = {},
    {
      limit = pageLimit,
      before,
    }: { limit?: number | undefined; before?: string | undefined } = {},
  ): Promise<MessageRecordPage> {
    checkOpen();
    const found = await messages.list(projectId, toFilter(query), {
      limit,
      before,
    });
    return {
      messages: found.messages.map(toMessageRecord),
      ...(found.next !== undefined && { next: found.next }),
    };
  }

  return {
    async send(request) {
      checkOpen();
      const members = membersOf(request, requestMembers[channel]);
      const wanted = toRequest<StoredMessageRequest>(members, defaultWaitMs);
      return toMessageRecord(await messages.send(projectId, wanted));
    },
    async sendTemplate(request) {
      checkOpen();
      const members = membersOf(request, requestMembers[`${channel}Template`]);
      const wanted = toRequest<StoredTemplateRequest>(members, defaultWaitMs);
      const sending = await messages.sendTemplate(projectId, wanted);
      if (!("message" in sending)) return undefined;
      return toMessageRecord(sending.message);
    },
    async sendBulk(request) {
      checkOpen();
      const members = membersOf(request, requestMembers[channel]);
      if (!Array.isArray(members.to))
        throw invalid("A list is expected as to.");
      const wanted = toRequest<StoredBulkRequest>(members, 0);
      const sent = await messages.sendBulk(projectId, wanted);
      return sent.map(toMessageRecord);
    },
    async find(id) {
      checkOpen();
      const found = await messages.find(projectId, id);
      return found && toMessageRecord(found);
    },
    async *list(query) {
      let before: string | undefined;
      do {
        const { messages, next } = await page(query, { before });
        yield* messages;
        before = next;
      } while (before !== undefined);
    },
    page,
    async cancel(id, reason) {
      checkOpen();
      return toMessageRecord(
        await messages.cancel(projectId, id, program, reason),
      );
    },
    async retry(id, reason) {
      checkOpen();
      return toMessageRecord(
        await messages.retry(projectId, id, program, reason),
      );
    },
    async wasSent(slug, relatedObjects) {
      checkOpen();
      const objects = [relatedObjects].flat();
      return messages.wasSent(projectId, slug, textIds(objects));
    },
    relatedObjects: {
      async add(id, objects) {
        checkOpen();
        const kept = await messages.addRelatedObjects(
          projectId,
          id,
          textIds(objects),
        );
        return kept.map(toRelatedObjectRecord);
      },
      async set(id, objects, { type } = {}) {
        checkOpen();
        const kept = await messages.setRelatedObjects(
          projectId,
          id,
          textIds(objects),
          type,
        );
        return kept.map(toRelatedObjectRecord);
      },
    },
  };
}

/** In core's words; what the members are is checked there. */
function toRequest<Wanted>(
  { timeToLiveSeconds, notBefore, waitMs, ...members }: Record<string, unknown>,
  waitByDefaultMs: number,
): Wanted {
  const request = {
    ...members,
    ...(timeToLiveSeconds !== undefined && { timeToLive: timeToLiveSeconds }),
    ...(notBefore !== undefined && {
      notBefore: toInstant(notBefore, "notBefore"),
    }),
    waitMs: waitMs ?? waitByDefaultMs,
  };
  // Its members are unknown to core, but for those above.
  return request as Wanted;
}

function toFilter(query: MessageQuery): StoredMessageFilter {
  const { since, until, relatedObjects, ...members } = membersOf(
    query,
    requestMembers.query,
  );
  return {
    ...members,
    ...(relatedObjects !== undefined && {
      relatedObjects: textIds(relatedObjects),
    }),
    ...(since !== undefined && { since: toInstant(since, "since") }),
    ...(until !== undefined && { until: toInstant(until, "until") }),
  };
}

/** @throws RequestError REQUEST_INVALID */
function toInstant(value: unknown, name: string): EpochMs {
  const ms = value instanceof Date ? value.getTime() : undefined;
  if (isEpochMs(ms)) return ms;
  throw invalid(`A valid Date is expected as ${name}.`);
}

/** As they are kept. */
function textIds(objects: unknown): readonly RelatedObject[] {
  if (!Array.isArray(objects)) {
    throw invalid("A list of related objects is expected.");
  }
  return objects.map((object, n) =>
    checkRelatedObject(object, `relatedObjects[${n}]`),
  );
}
