/**
 * `carillon.templates`: what stored messages of the first project are rendered
 * from, for the program that the service is part of.
 */

import {
  CarillonError,
  type ProjectId,
  type StoredTemplate,
  type StoredTemplateKey,
  type StoredTemplateSummary,
  type StoredTemplates,
} from "@carillon/core";
import {
  type MailAttachment,
  membersOf,
  type RelatedObjectKey,
} from "./message-requests.ts";

/** What a template is made of; what is absent has its default. */
export interface TemplateDraft {
  /** Liquid; of a mail its HTML, or its text where `isHtml` is false. */
  readonly body: string;
  /** What is not active is not sent. Default true. */
  readonly isActive?: boolean | undefined;
  /** Tells people to leave it alone; it changes nothing. Default false. */
  readonly isLocked?: boolean | undefined;
  /** False: it is sent once about the same related objects. Default true. */
  readonly allowsDuplicates?: boolean | undefined;
  /** A variable that the context lacks is an error; else it is empty. Default false. */
  readonly isStrict?: boolean | undefined;
  /** Of mails; Liquid. */
  readonly subject?: string | undefined;
  /** Of mails. Default true. */
  readonly isHtml?: boolean | undefined;
  /** Of mails: the sender's address, and what is shown beside it. */
  readonly sender?: string | undefined;
  readonly senderName?: string | undefined;
  /** Of mails: sent with each. */
  readonly attachments?: readonly MailAttachment[] | undefined;
}

/** A template as it is listed. */
export interface TemplateSummary {
  readonly channel: "sms" | "email";
  /** 1 to 100 letters, digits, dashes and underscores; unique in its channel. */
  readonly slug: string;
  readonly isActive: boolean;
  readonly isLocked: boolean;
  readonly allowsDuplicates: boolean;
  readonly isStrict: boolean;
  readonly subject?: string;
  readonly isHtml?: boolean;
  readonly sender?: string;
  readonly senderName?: string;
  readonly createdAt: Date;
  readonly changedAt: Date;
}

/** A template with what it is made of. */
export interface TemplateRecord extends TemplateSummary {
  readonly body: string;
  readonly attachments?: readonly MailAttachment[];
}

/** What a template makes of a context, without sending it. */
export interface TemplateRendering {
  readonly text?: string;
  readonly html?: string;
  readonly subject?: string;
  /** Of a text: how it would be sent. */
  readonly sms?: {
    readonly encoding: string;
    readonly segments: number;
    readonly characters: number;
  };
}

/**
 * Templates by channel and slug. Errors are CarillonErrors: TEMPLATE_INVALID for
 * what cannot be one (with line and column), TEMPLATE_NOT_FOUND, SHUTTING_DOWN.
 */
export interface OwnTemplates {
  /** Creates it, or puts it in place of the one of that slug. */
  put(
    channel: "sms" | "email",
    slug: string,
    draft: TemplateDraft,
  ): Promise<TemplateRecord>;
  /** @throws CarillonError TEMPLATE_EXISTS, and those of all */
  create(
    channel: "sms" | "email",
    slug: string,
    draft: TemplateDraft,
  ): Promise<TemplateRecord>;
  /** Changes the members that are given; null takes one away. */
  update(
    channel: "sms" | "email",
    slug: string,
    changes: {
      readonly [Member in keyof TemplateDraft]?: TemplateDraft[Member] | null;
    },
  ): Promise<TemplateRecord>;
  find(
    channel: "sms" | "email",
    slug: string,
  ): Promise<TemplateRecord | undefined>;
  /** By channel, then by slug; default: of both channels. */
  list(channel?: "sms" | "email"): AsyncIterable<TemplateSummary>;
  /** Messages that were made from it keep its slug. */
  remove(channel: "sms" | "email", slug: string): Promise<void>;
  /** @throws CarillonError TEMPLATE_CONTEXT_INVALID, TEMPLATE_RENDERING_FAILED */
  preview(
    channel: "sms" | "email",
    slug: string,
    context?: Readonly<Record<string, unknown>>,
    recipient?: string,
  ): Promise<TemplateRendering>;
  /** Why it may not be sent about these objects now; empty: it may. */
  canSend(
    channel: "sms" | "email",
    slug: string,
    relatedObjects?: readonly RelatedObjectKey[],
  ): Promise<readonly ("inactive" | "duplicate" | "disallowed")[]>;
  /**
   * From now on the template is not sent about these objects; without a slug, no
   * template of the channel.
   */
  disallow(
    channel: "sms" | "email",
    slug: string | undefined,
    objects: readonly RelatedObjectKey[],
  ): Promise<void>;
  /** Takes that back, of the same template or channel; answers of how many. */
  allow(
    channel: "sms" | "email",
    slug: string | undefined,
    objects: readonly RelatedObjectKey[],
  ): Promise<number>;
}

export interface OwnTemplatesPorts {
  readonly projectId: ProjectId;
  readonly templates: StoredTemplates;
  /** False once the service began to close. */
  readonly isOpen: () => boolean;
}

const pageLimit = 100;

const draftMembers = [
  "body",
  "isActive",
  "isLocked",
  "allowsDuplicates",
  "isStrict",
  "subject",
  "isHtml",
  "sender",
  "senderName",
  "attachments",
] as const satisfies readonly (keyof TemplateDraft)[];

/** What a record has besides, and may bring along: it changes nothing. */
const recordMembers = [
  "channel",
  "slug",
  "createdAt",
  "changedAt",
] as const satisfies readonly (keyof TemplateRecord)[];

/** @throws RequestError REQUEST_INVALID */
function checkMembers(draft: object): void {
  const own = Object.entries(draft ?? {}).filter(
    ([name]) => !recordMembers.some((it) => it === name),
  );
  membersOf(draft && Object.fromEntries(own), draftMembers);
}

export function createOwnTemplates({
  projectId,
  templates,
  isOpen,
}: OwnTemplatesPorts): OwnTemplates {
  function checkOpen(): void {
    if (!isOpen()) throw new CarillonError("SHUTTING_DOWN");
  }

  return {
    async put(channel, slug, draft) {
      checkOpen();
      checkMembers(draft);
      const { template } = await templates.put(projectId, channel, slug, draft);
      return toTemplateRecord(template);
    },
    async create(channel, slug, draft) {
      checkOpen();
      checkMembers(draft);
      const made = await templates.create(projectId, channel, slug, draft);
      return toTemplateRecord(made);
    },
    async update(channel, slug, changes) {
      checkOpen();
      checkMembers(changes);
      return toTemplateRecord(
        await templates.update(projectId, channel, slug, changes),
      );
    },
    async find(channel, slug) {
      checkOpen();
      try {
        return toTemplateRecord(await templates.get(projectId, channel, slug));
      } catch (error) {
        const isAbsent =
          error instanceof CarillonError && error.code === "TEMPLATE_NOT_FOUND";
        if (isAbsent) return undefined;
        throw error;
      }
    },
    async *list(channel) {
      let after: StoredTemplateKey | undefined;
      let found: readonly StoredTemplateSummary[];
      do {
        checkOpen();
        found = await templates.list(projectId, channel, {
          limit: pageLimit,
          ...(after && { after }),
        });
        yield* found.map(toTemplateSummary);
        after = found.at(-1);
      } while (found.length === pageLimit);
    },
    async remove(channel, slug) {
      checkOpen();
      await templates.remove(projectId, channel, slug);
    },
    async preview(channel, slug, context = {}, recipient = "") {
      checkOpen();
      const { template: _, ...rendering } = await templates.preview(
        projectId,
        channel,
        slug,
        context,
        recipient,
      );
      return rendering;
    },
    async canSend(channel, slug, relatedObjects = []) {
      checkOpen();
      return templates.canSend(projectId, channel, slug, relatedObjects);
    },
    async disallow(channel, slug, objects) {
      checkOpen();
      await templates.disallow(projectId, channel, slug, objects);
    },
    async allow(channel, slug, objects) {
      checkOpen();
      return templates.allow(projectId, channel, slug, objects);
    },
  };
}

function toTemplateSummary(summary: StoredTemplateSummary): TemplateSummary {
  const { createdAt, changedAt } = summary;
  return {
    ...summary,
    createdAt: new Date(createdAt),
    changedAt: new Date(changedAt),
  };
}

function toTemplateRecord(template: StoredTemplate): TemplateRecord {
  const { createdAt, changedAt } = template;
  return {
    ...template,
    createdAt: new Date(createdAt),
    changedAt: new Date(changedAt),
  };
}
