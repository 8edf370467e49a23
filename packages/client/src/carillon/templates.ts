/** Templates of texts and mails, found by channel and slug. */

import type { Api } from "../api.ts";
import {
  findText,
  findTexts,
  type JsonObject,
  readBoolean,
  readObjects,
  readText,
} from "../json.ts";
import { type DeleteOptions, deleted } from "../smn/missing.ts";
import type { RequestOptions } from "../transport.ts";
import {
  type Attachment,
  readAttachments,
  toAttachmentBodies,
} from "./attachments.ts";

/** What a template makes. */
export type TemplateChannel = "sms" | "email";

/** A template without what may be long. */
export interface StoredTemplateSummary extends JsonObject {
  readonly channel: string;
  /** 1 to 100 ASCII letters, digits, dashes or underscores. */
  readonly slug: string;
  readonly isActive: boolean;
  readonly isLocked: boolean;
  readonly allowsDuplicates: boolean;
  readonly isStrict: boolean;
  /** The next four are of mails. */
  readonly subject?: string | undefined;
  readonly isHtml?: boolean | undefined;
  readonly sender?: string | undefined;
  readonly senderName?: string | undefined;
  /** UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`. */
  readonly createdAt: string;
  readonly changedAt: string;
}

/** A template. */
export interface StoredTemplate extends StoredTemplateSummary {
  /** Liquid. */
  readonly body: string;
  /** Sent with each mail. */
  readonly attachments: readonly Attachment[];
}

/** What a template is made from; null is the default, or none. */
export interface NewStoredTemplate {
  readonly body: string;
  /** Default true. */
  readonly isActive?: boolean | null | undefined;
  /** Default false. */
  readonly isLocked?: boolean | null | undefined;
  /** Default true. */
  readonly allowsDuplicates?: boolean | null | undefined;
  /** Default false. */
  readonly isStrict?: boolean | null | undefined;
  /** The rest is of mails. */
  readonly subject?: string | null | undefined;
  /** Default true. */
  readonly isHtml?: boolean | null | undefined;
  readonly sender?: string | null | undefined;
  readonly senderName?: string | null | undefined;
  readonly attachments?: readonly Attachment[] | null | undefined;
}

/** What a template makes of a context. */
export interface TemplatePreview extends JsonObject {
  readonly text?: string | undefined;
  readonly html?: string | undefined;
  readonly subject?: string | undefined;
}

/** Whether a template may be sent, and if not, why. */
export interface CanSend {
  readonly canSend: boolean;
  /** `inactive`, `duplicate`, `disallowed`. */
  readonly refusals: readonly string[];
}

/** An object of the application, such as an order. */
export interface TemplateObject {
  readonly type: string;
  readonly id: string | number;
}

/** What a template, or all of a channel, may not be sent about. */
export interface DisallowedObject extends JsonObject {
  readonly type: string;
  readonly id: string;
  readonly createdAt: string;
}

/** Without a slug: all templates of the channel. */
export interface DisallowedScope {
  readonly channel: TemplateChannel;
  readonly slug?: string | undefined;
}

/** Manages templates. */
export interface StoredTemplates {
  /** By channel and slug; pages are fetched as needed. */
  list(
    query?: { readonly channel?: TemplateChannel | undefined },
    options?: RequestOptions,
  ): AsyncGenerator<StoredTemplateSummary, void, undefined>;
  get(
    channel: TemplateChannel,
    slug: string,
    options?: RequestOptions,
  ): Promise<StoredTemplate>;
  /** Makes it, or puts it in place of the one of that slug. */
  put(
    channel: TemplateChannel,
    slug: string,
    template: NewStoredTemplate,
    options?: RequestOptions,
  ): Promise<StoredTemplate>;
  /** Whether it could be put: rejects if not, and keeps nothing. */
  check(
    channel: TemplateChannel,
    slug: string,
    template: NewStoredTemplate,
    options?: RequestOptions,
  ): Promise<void>;
  /** Changes the members that are given. */
  update(
    channel: TemplateChannel,
    slug: string,
    changes: Partial<NewStoredTemplate>,
    options?: RequestOptions,
  ): Promise<StoredTemplate>;
  /** Twice is fine. */
  delete(
    channel: TemplateChannel,
    slug: string,
    options?: DeleteOptions,
  ): Promise<void>;
  preview(
    channel: TemplateChannel,
    slug: string,
    context?: object,
    options?: RequestOptions,
  ): Promise<TemplatePreview>;
  canSend(
    channel: TemplateChannel,
    slug: string,
    relatedObjects?: readonly TemplateObject[],
    options?: RequestOptions,
  ): Promise<CanSend>;
  /** From now on it is not sent about these. Twice is fine. */
  disallow(
    scope: DisallowedScope,
    objects: readonly TemplateObject[],
    options?: RequestOptions,
  ): Promise<void>;
  /** Takes that back. Twice is fine. */
  allow(
    scope: DisallowedScope,
    object: TemplateObject,
    options?: RequestOptions,
  ): Promise<void>;
  /** By type and id; pages are fetched as needed. */
  disallowed(
    scope: DisallowedScope,
    options?: RequestOptions,
  ): AsyncGenerator<DisallowedObject, void, undefined>;
}

/** As many as the server gives at once. */
const pageSize = 1000;

export function createStoredTemplates(api: Api): StoredTemplates {
  async function* pages(
    path: readonly string[],
    member: string,
    filter: Readonly<Record<string, string | undefined>>,
    options: RequestOptions | undefined,
  ): AsyncGenerator<JsonObject, void, undefined> {
    let after: string | undefined;
    do {
      const query = { ...filter, limit: pageSize, after };
      const { body } = await api({ method: "GET", path, query }, options);
      yield* readObjects(body, member);
      after = findText(body, "next");
    } while (after !== undefined);
  }

  return {
    async *list({ channel } = {}, options) {
      const query = { channel };
      for await (const one of pages(
        ["templates"],
        "templates",
        query,
        options,
      )) {
        yield toSummary(one);
      }
    },
    async get(channel, slug, options) {
      const path = ["templates", channel, slug];
      return toTemplate((await api({ method: "GET", path }, options)).body);
    },
    async put(channel, slug, template, options) {
      const body = toBody(template);
      const path = ["templates", channel, slug];
      const request = { method: "PUT", path, body } as const;
      return toTemplate((await api(request, options)).body);
    },
    async check(channel, slug, template, options) {
      const body = toBody(template);
      const path = ["templates", channel, slug];
      const query = { dryRun: "true" };
      await api({ method: "PUT", path, query, body }, options);
    },
    async update(channel, slug, changes, options) {
      const body = toBody(changes);
      const path = ["templates", channel, slug];
      const request = { method: "PATCH", path, body } as const;
      return toTemplate((await api(request, options)).body);
    },
    async delete(channel, slug, options = {}) {
      const path = ["templates", channel, slug];
      await deleted(api({ method: "DELETE", path }, options), options);
    },
    async preview(channel, slug, context = {}, options) {
      const path = ["templates", channel, slug, "preview"];
      const body = { context };
      const isIdempotent = true;
      const request = { method: "POST", path, body, isIdempotent } as const;
      return (await api(request, options)).body;
    },
    async canSend(channel, slug, relatedObjects = [], options) {
      const path = ["templates", channel, slug, "can-send"];
      const body = { relatedObjects };
      const isIdempotent = true;
      const request = { method: "POST", path, body, isIdempotent } as const;
      const answer = (await api(request, options)).body;
      return {
        canSend: readBoolean(answer, "canSend"),
        refusals: findTexts(answer, "refusals"),
      };
    },
    async disallow(scope, objects, options) {
      const path = disallowedPath(scope);
      await api({ method: "PUT", path, body: { objects } }, options);
    },
    async allow(scope, { type, id }, options) {
      const path = disallowedPath(scope);
      await api({ method: "DELETE", path, query: { type, id } }, options);
    },
    async *disallowed(scope, options) {
      const path = disallowedPath(scope);
      for await (const one of pages(path, "objects", {}, options)) {
        yield {
          ...one,
          type: readText(one, "type"),
          id: readText(one, "id"),
          createdAt: readText(one, "createdAt"),
        };
      }
    },
  };
}

function disallowedPath({ channel, slug }: DisallowedScope): string[] {
  return slug === undefined
    ? ["disallowed-objects", channel]
    : ["templates", channel, slug, "disallowed-objects"];
}

function toSummary(body: JsonObject): StoredTemplateSummary {
  return {
    ...body,
    channel: readText(body, "channel"),
    slug: readText(body, "slug"),
    isActive: readBoolean(body, "isActive"),
    isLocked: readBoolean(body, "isLocked"),
    allowsDuplicates: readBoolean(body, "allowsDuplicates"),
    isStrict: readBoolean(body, "isStrict"),
    createdAt: readText(body, "createdAt"),
    changedAt: readText(body, "changedAt"),
  };
}

function toTemplate(body: JsonObject): StoredTemplate {
  return {
    ...toSummary(body),
    body: readText(body, "body"),
    attachments: readAttachments(body),
  };
}

function toBody({
  attachments,
  ...template
}: Partial<NewStoredTemplate>): JsonObject {
  return {
    ...template,
    ...(attachments !== undefined && {
      attachments: attachments && toAttachmentBodies(attachments),
    }),
  };
}
