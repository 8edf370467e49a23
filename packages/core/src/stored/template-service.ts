/**
 * What owners do with templates of stored messages, and what sending makes of
 * them.
 */

import { CarillonError } from "../errors.ts";
import type { ProjectId } from "../ids.ts";
import type { RelatedObject } from "../messages/message.ts";
import { checkRelatedObjects } from "../messages/message-options.ts";
import type { Clock } from "../ports/clock.ts";
import type { StoredMessageStore } from "../ports/stored-message-store.ts";
import type {
  DisallowedObject,
  DisallowedScope,
  StoredTemplateKey,
  StoredTemplateStore,
  StoredTemplateSummary,
} from "../ports/stored-template-store.ts";
import { addMs, type EpochMs } from "../time.ts";
import type { StoredChannel } from "./stored-message.ts";
import type { SendRefusal } from "./stored-messages.ts";
import type {
  RenderedTemplate,
  StoredTemplate,
  TemplateRenderer,
} from "./stored-templates.ts";
import {
  checkStoredChannel,
  checkTemplateFields,
  checkTemplateSlug,
  type StoredTemplateDraft,
  storedTemplateLimits,
  type TemplateMailRules,
} from "./template-fields.ts";
import {
  createTemplateRendering,
  type RenderingPorts,
} from "./template-rendering.ts";

/** How a text would be sent. */
export interface SmsPreview {
  readonly encoding: string;
  readonly segments: number;
  /** Of the encoding; some count twice. */
  readonly characters: number;
}

/** What a template would make, and how it would be sent. */
export interface TemplatePreview extends RenderedTemplate {
  /** Of an SMS. */
  readonly sms?: SmsPreview;
}

/**
 * Templates of stored messages. Channels and slugs come unchecked.
 *
 * What fails for all is a CarillonError TEMPLATE_INVALID for a channel or a slug
 * that cannot be one, and TEMPLATE_NOT_FOUND.
 */
export interface StoredTemplates extends TemplateRenderer {
  /**
   * @throws CarillonError TEMPLATE_INVALID, TEMPLATE_EXISTS,
   * TEMPLATE_QUOTA_EXCEEDED, PROJECT_DELETED
   */
  create(
    projectId: ProjectId,
    channel: unknown,
    slug: unknown,
    draft: StoredTemplateDraft,
  ): Promise<StoredTemplate>;
  /**
   * Creates it, or puts it in place of the one of that slug.
   *
   * @throws CarillonError as `create`, and TEMPLATE_CHANGED
   */
  put(
    projectId: ProjectId,
    channel: unknown,
    slug: unknown,
    draft: StoredTemplateDraft,
  ): Promise<{ readonly template: StoredTemplate; readonly isNew: boolean }>;
  /**
   * Changes the members that are given; null takes one away.
   *
   * @throws CarillonError TEMPLATE_INVALID, TEMPLATE_NOT_FOUND, TEMPLATE_CHANGED
   */
  update(
    projectId: ProjectId,
    channel: unknown,
    slug: unknown,
    changes: Partial<StoredTemplateDraft>,
  ): Promise<StoredTemplate>;
  /**
   * Whether it could be put; nothing is kept.
   *
   * @throws CarillonError TEMPLATE_INVALID
   */
  check(
    channel: unknown,
    slug: unknown,
    draft: StoredTemplateDraft,
  ): Promise<void>;
  /** By channel, then by slug; `after` is the last one of the page before. */
  list(
    projectId: ProjectId,
    channel: unknown,
    page: { readonly limit: number; readonly after?: StoredTemplateKey },
  ): Promise<readonly StoredTemplateSummary[]>;
  remove(projectId: ProjectId, channel: unknown, slug: unknown): Promise<void>;
  /**
   * @param recipient given to hooks; no message is made
   * @throws CarillonError TEMPLATE_CONTEXT_INVALID, TEMPLATE_RENDERING_FAILED
   */
  preview(
    projectId: ProjectId,
    channel: unknown,
    slug: unknown,
    context: unknown,
    recipient?: string,
  ): Promise<TemplatePreview>;
  /**
   * Why it may not be sent about these objects now; empty: it may.
   *
   * @throws CarillonError MESSAGE_OPTION_INVALID for objects that are none
   */
  canSend(
    projectId: ProjectId,
    channel: unknown,
    slug: unknown,
    relatedObjects: unknown,
  ): Promise<readonly SendRefusal[]>;
  /**
   * From now on the template is not sent about these objects; without a slug, no
   * template of the channel.
   *
   * @throws CarillonError MESSAGE_OPTION_INVALID
   */
  disallow(
    projectId: ProjectId,
    channel: unknown,
    slug: unknown,
    objects: unknown,
  ): Promise<void>;
  /**
   * Takes that back, of the same template or channel; answers of how many.
   *
   * @throws CarillonError MESSAGE_OPTION_INVALID
   */
  allow(
    projectId: ProjectId,
    channel: unknown,
    slug: unknown,
    objects: unknown,
  ): Promise<number>;
  listDisallowed(
    projectId: ProjectId,
    channel: unknown,
    slug: unknown,
    page: { readonly limit: number; readonly after?: RelatedObject },
  ): Promise<readonly DisallowedObject[]>;
}

export interface StoredTemplatePorts extends RenderingPorts {
  /** What mails may have; templates of mails may have the same. */
  readonly mailRules: TemplateMailRules;
  readonly store: StoredTemplateStore & Pick<StoredMessageStore, "wasSent">;
  readonly clock: Clock;
  /** How a text is sent: its encoding, and in how many segments. */
  readonly analyzeText: (text: string) => SmsPreview;
}

/** So often a change is tried again that another one came in between of. */
const maxAttempts = 5;

/** Builds the operations on templates of stored messages. */
export function createStoredTemplates(
  ports: StoredTemplatePorts,
): StoredTemplates {
  const { store, clock, analyzeText, mailRules } = ports;
  const rendering = createTemplateRendering(ports);
  const { perProject: quota } = storedTemplateLimits;

  async function get(projectId: ProjectId, channel: unknown, slug: unknown) {
    const key = keyOf(channel, slug);
    const found = await store.findStoredTemplate(projectId, key);
    if (found) return found;
    throw notFound(key);
  }

  /** @throws CarillonError TEMPLATE_INVALID */
  async function checked(
    { channel, slug }: StoredTemplateKey,
    draft: StoredTemplateDraft,
  ) {
    const fields = checkTemplateFields(channel, slug, draft, mailRules);
    await rendering.check(fields);
    return fields;
  }

  async function renderTemplate(
    projectId: ProjectId,
    template: StoredTemplate,
    context: unknown,
    recipient: string,
  ): Promise<RenderedTemplate> {
    return await rendering.render(template, context, recipient, (slug) =>
      store.findStoredTemplate(projectId, { channel: "email", slug }),
    );
  }

  async function refusals(
    { channel, slug, isActive, allowsDuplicates }: StoredTemplate,
    projectId: ProjectId,
    objects: readonly RelatedObject[],
  ): Promise<readonly SendRefusal[]> {
    const found: SendRefusal[] = [];
    if (!isActive) found.push("inactive");
    if (objects.length === 0) return found;
    if (
      !allowsDuplicates &&
      (await store.wasSent(projectId, channel, slug, objects))
    ) {
      found.push("duplicate");
    }
    if (await store.isDisallowed(projectId, { channel, slug }, objects)) {
      found.push("disallowed");
    }
    return found;
  }

  async function scopeOf(
    projectId: ProjectId,
    channel: unknown,
    slug: unknown,
  ): Promise<DisallowedScope> {
    if (slug === undefined || slug === null) {
      return { channel: checkStoredChannel(channel) };
    }
    const template = await get(projectId, channel, slug);
    return { channel: template.channel, slug: template.slug };
  }

  return {
    async create(projectId, channel, slug, draft) {
      const key = keyOf(channel, slug);
      const fields = await checked(key, draft);
      const now = clock.now();
      const template = { ...fields, createdAt: now, changedAt: now };
      const condition = { kind: "absent" } as const;
      if (
        await store.putStoredTemplate(projectId, template, condition, quota)
      ) {
        return template;
      }
      throw new CarillonError(
        "TEMPLATE_EXISTS",
        `There is a template ${key.slug} for ${key.channel} already: update it, or use another slug.`,
      );
    },
    async put(projectId, channel, slug, draft) {
      const key = keyOf(channel, slug);
      const fields = await checked(key, draft);
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const known = await store.findStoredTemplate(projectId, key);
        const template = { ...fields, ...instants(clock, known) };
        if (
          await store.putStoredTemplate(
            projectId,
            template,
            conditionOf(known),
            quota,
          )
        ) {
          return { template, isNew: known === undefined };
        }
      }
      throw new CarillonError("TEMPLATE_CHANGED");
    },
    async update(projectId, channel, slug, changes) {
      const key = keyOf(channel, slug);
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const known = await get(projectId, channel, slug);
        const fields = await checked(key, { ...known, ...given(changes) });
        const template = { ...fields, ...instants(clock, known) };
        if (
          await store.putStoredTemplate(
            projectId,
            template,
            conditionOf(known),
            quota,
          )
        ) {
          return template;
        }
      }
      throw new CarillonError("TEMPLATE_CHANGED");
    },
    async check(channel, slug, draft) {
      await checked(keyOf(channel, slug), draft);
    },
    get,
    list: async (projectId, channel, page) =>
      store.listStoredTemplates(
        projectId,
        channel === undefined ? undefined : checkStoredChannel(channel),
        page,
      ),
    async remove(projectId, channel, slug) {
      const key = keyOf(channel, slug);
      if (await store.deleteStoredTemplate(projectId, key)) return;
      throw notFound(key);
    },
    async preview(projectId, channel, slug, context, recipient = "") {
      const template = await get(projectId, channel, slug);
      const rendered = await renderTemplate(
        projectId,
        template,
        context,
        recipient,
      );
      return template.channel === "sms" && rendered.text !== undefined
        ? { ...rendered, sms: analyzeText(rendered.text) }
        : rendered;
    },
    async canSend(projectId, channel, slug, relatedObjects) {
      const objects = checkRelatedObjects(relatedObjects ?? []);
      const template = await get(projectId, channel, slug);
      return await refusals(template, projectId, objects);
    },
    async disallow(projectId, channel, slug, objects) {
      const checkedObjects = checkRelatedObjects(objects, "objects");
      await store.disallowObjects(
        projectId,
        await scopeOf(projectId, channel, slug),
        checkedObjects,
        clock.now(),
      );
    },
    async allow(projectId, channel, slug, objects) {
      const checkedObjects = checkRelatedObjects(objects, "objects");
      return await store.allowObjects(
        projectId,
        await scopeOf(projectId, channel, slug),
        checkedObjects,
      );
    },
    async listDisallowed(projectId, channel, slug, page) {
      return await store.listDisallowedObjects(
        projectId,
        await scopeOf(projectId, channel, slug),
        page,
      );
    },
    render: renderTemplate,
    refusals,
  };
}

/** @throws CarillonError TEMPLATE_INVALID */
function keyOf(channel: unknown, slug: unknown): StoredTemplateKey {
  return {
    channel: checkStoredChannel(channel),
    slug: checkTemplateSlug(slug),
  };
}

/** Later than before, so that it tells one state of a template from the next. */
function instants(
  clock: Clock,
  known: StoredTemplate | undefined,
): { readonly createdAt: EpochMs; readonly changedAt: EpochMs } {
  const now = clock.now();
  if (known === undefined) return { createdAt: now, changedAt: now };
  const { createdAt, changedAt } = known;
  return {
    createdAt,
    changedAt: now > changedAt ? now : addMs(changedAt, 1),
  };
}

function conditionOf(known: StoredTemplate | undefined) {
  return known === undefined
    ? ({ kind: "absent" } as const)
    : ({ kind: "unchanged", changedAt: known.changedAt } as const);
}

/** Null stays: it takes the member away. */
function given(changes: Partial<StoredTemplateDraft>) {
  return Object.fromEntries(
    Object.entries(changes).filter(([, value]) => value !== undefined),
  );
}

function notFound({ channel, slug }: StoredTemplateKey): CarillonError {
  const of: Readonly<Record<StoredChannel, string>> = {
    sms: "texts",
    email: "mails",
  };
  return new CarillonError(
    "TEMPLATE_NOT_FOUND",
    `There is no template ${slug} of ${of[channel]}.`,
  );
}
