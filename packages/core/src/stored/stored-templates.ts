/**
 * Templates of stored messages, each found by its slug: what texts and mails are
 * rendered from.
 */

import type { ProjectId } from "../ids.ts";
import type { Attachment } from "../messages/attachment.ts";
import type { RelatedObject } from "../messages/message.ts";
import type { EpochMs } from "../time.ts";
import type { StoredChannel } from "./stored-message.ts";
import type { SendRefusal } from "./stored-messages.ts";

/** A template as it is kept. Of texts only `body` is rendered. */
export interface StoredTemplate {
  readonly channel: StoredChannel;
  /** 1 to 100 letters, digits, dashes and underscores; unique in its channel. */
  readonly slug: string;
  /** Liquid; of a mail its HTML, or its text where `isHtml` is false. */
  readonly body: string;
  /** What is not active is not sent. */
  readonly isActive: boolean;
  /** Tells people to leave it alone; it changes nothing. */
  readonly isLocked: boolean;
  /** False: it is sent once about the same related objects. */
  readonly allowsDuplicates: boolean;
  /** A variable that the context lacks is an error; else it is empty. */
  readonly isStrict: boolean;
  /** The rest is of mails. Liquid. */
  readonly subject?: string;
  readonly isHtml?: boolean;
  readonly sender?: string;
  readonly senderName?: string;
  /** Sent with each mail. */
  readonly attachments?: readonly Attachment[];
  readonly createdAt: EpochMs;
  readonly changedAt: EpochMs;
}

/** What a template made of a context. */
export interface RenderedTemplate {
  readonly template: StoredTemplate;
  /** Of an SMS; of a mail that is not HTML. */
  readonly text?: string;
  readonly html?: string;
  readonly subject?: string;
}

/** What stored messages need of templates. */
export interface TemplateRenderer {
  /** @throws CarillonError TEMPLATE_INVALID, TEMPLATE_NOT_FOUND */
  get(
    projectId: ProjectId,
    channel: unknown,
    slug: unknown,
  ): Promise<StoredTemplate>;
  /**
   * @param context a JSON object; unchecked
   * @throws CarillonError TEMPLATE_CONTEXT_INVALID, TEMPLATE_RENDERING_FAILED
   */
  render(
    projectId: ProjectId,
    template: StoredTemplate,
    context: unknown,
    recipient: string,
  ): Promise<RenderedTemplate>;
  /**
   * Why it may not be sent about these objects; empty: it may. It is asked before
   * the template is rendered, which costs more, and fails for what is unfinished.
   */
  refusals(
    template: StoredTemplate,
    projectId: ProjectId,
    relatedObjects: readonly RelatedObject[],
  ): Promise<readonly SendRefusal[]>;
}
