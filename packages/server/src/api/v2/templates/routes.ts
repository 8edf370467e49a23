/** Templates of texts and mails, found by channel and slug. */

import {
  CarillonError,
  type RelatedObject,
  type StoredTemplate,
  type StoredTemplateKey,
  type StoredTemplateSummary,
  type StoredTemplates,
  storedChannels,
  storedTemplateLimits,
  type TemplatePreview,
} from "@carillon/core";
import type { Static } from "typebox";
import { Type } from "../../json-schema.ts";
import { projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { toMillisecondsText } from "../timestamps.ts";
import { failsWith } from "../validation.ts";
import { refusals } from "./error-answers.ts";
import { instant, limitParameter, readLimit } from "./schema-parts.ts";

export interface StoredTemplateRoutesPorts {
  readonly storedTemplates: StoredTemplates;
}

const { bodyLength, subjectLength, attachmentBytes } = storedTemplateLimits;

const channel = Type.String({
  description: `What it makes: ${storedChannels.join(" or ")}`,
  ...failsWith("TEMPLATE_INVALID"),
});

const slug = Type.String({
  description: "1 to 100 ASCII letters, digits, dashes or underscores",
});

/** Of a template, with whatever it says. */
const flags = {
  isActive: Type.Boolean({ description: "What is not active is not sent" }),
  isLocked: Type.Boolean({
    description: "Tells people to leave it alone; it changes nothing",
  }),
  allowsDuplicates: Type.Boolean({
    description: "False: it is sent once about the same related objects",
  }),
  isStrict: Type.Boolean({
    description:
      "A variable that the context lacks is an error; else it is empty",
  }),
};

const mailParts = {
  subject: Type.Optional(Type.String({ description: "Liquid; of mails" })),
  isHtml: Type.Optional(
    Type.Boolean({ description: "Whether the body is HTML; of mails" }),
  ),
  sender: Type.Optional(
    Type.String({ description: "Mail address of the sender; of mails" }),
  ),
  senderName: Type.Optional(
    Type.String({ description: "Shown beside the sender; of mails" }),
  ),
};

const instants = {
  createdAt: instant("When it was made"),
  changedAt: instant("When it was changed last"),
};

const SummaryBody = Type.Object(
  { channel, slug, ...flags, ...mailParts, ...instants },
  { title: "StoredTemplateSummary" },
);

const AttachmentBody = Type.Object(
  {
    name: Type.String({ description: "File name" }),
    contentType: Type.String({ description: "Media type such as image/png" }),
    contentId: Type.Optional(
      Type.String({
        description: "Of an inline image: what cid: in the HTML names",
      }),
    ),
    content: Type.String({ description: "Base64" }),
  },
  { title: "TemplateAttachment" },
);

const TemplateBody = Type.Object(
  {
    channel,
    slug,
    body: Type.String({ description: "Liquid; HTML if it is so" }),
    ...flags,
    ...mailParts,
    attachments: Type.Optional(
      Type.Array(AttachmentBody, { description: "Sent with each mail" }),
    ),
    ...instants,
  },
  { title: "StoredTemplate" },
);

const TemplateList = Type.Object(
  {
    templates: Type.Array(SummaryBody, { description: "By channel and slug" }),
    next: Type.Optional(
      Type.String({ description: "`after` of the next page, if there is one" }),
    ),
  },
  { title: "StoredTemplateList" },
);

const invalid = failsWith("TEMPLATE_INVALID");

const givenBody = Type.String({
  maxLength: bodyLength.email,
  description: `Liquid; of texts at most ${bodyLength.sms} characters, of mails ${bodyLength.email}`,
  ...invalid,
});

/** Null takes a member away, or gives it its default. */
function givenFlag(description: string, whenAbsent: boolean) {
  return Type.Optional(
    Type.Union([Type.Boolean(), Type.Null()], {
      description,
      default: whenAbsent,
      ...invalid,
    }),
  );
}

function givenText(description: string, maxLength: number) {
  return Type.Optional(
    Type.Union([Type.String({ maxLength, ...invalid }), Type.Null()], {
      description,
      ...invalid,
    }),
  );
}

const given = {
  isActive: givenFlag("What is not active is not sent", true),
  isLocked: givenFlag("Tells people to leave it alone", false),
  allowsDuplicates: givenFlag(
    "False: it is sent once about the same related objects",
    true,
  ),
  isStrict: givenFlag("A variable that the context lacks is an error", false),
  subject: givenText("Liquid; of mails", subjectLength),
  isHtml: givenFlag("Whether the body is HTML; of mails", true),
  sender: givenText("Mail address of the sender; of mails", 254),
  senderName: givenText("Shown beside the sender; of mails", 128),
  attachments: Type.Optional(
    Type.Union(
      [
        Type.Array(
          Type.Object(
            {
              name: Type.String({
                maxLength: 255,
                description: "File name",
                ...invalid,
              }),
              contentType: Type.String({
                maxLength: 255,
                description: "Media type such as image/png",
                ...invalid,
              }),
              contentId: Type.Optional(
                Type.String({
                  maxLength: 128,
                  description:
                    "Of an inline image: what cid: in the HTML names",
                  ...invalid,
                }),
              ),
              content: Type.String({
                maxLength: Math.ceil(attachmentBytes / 3) * 4,
                description: "Base64",
                ...invalid,
              }),
            },
            invalid,
          ),
          { maxItems: storedTemplateLimits.attachments, ...invalid },
        ),
        Type.Null(),
      ],
      { description: "Sent with each mail; of mails", ...invalid },
    ),
  ),
};

const NewTemplate = Type.Object(
  { body: givenBody, ...given },
  { title: "NewStoredTemplate" },
);

const TemplateChanges = Type.Object(
  { body: Type.Optional(givenBody), ...given },
  { title: "StoredTemplateChanges" },
);

const params = Type.Object({
  channel,
  slug,
});

const channelParams = Type.Object({
  channel,
});

const PreviewRequest = Type.Object(
  {
    context: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: "What the template is rendered with",
        ...failsWith("TEMPLATE_CONTEXT_INVALID"),
      }),
    ),
    recipient: Type.Optional(
      Type.String({
        maxLength: 320,
        description: "Whom it would go to; only hooks see it",
      }),
    ),
  },
  { title: "TemplatePreviewRequest" },
);

const PreviewBody = Type.Object(
  {
    text: Type.Optional(
      Type.String({ description: "Of a text, or of a mail without HTML" }),
    ),
    html: Type.Optional(
      Type.String({ description: "Of a mail, within its base template" }),
    ),
    subject: Type.Optional(Type.String({ description: "Of a mail" })),
    sms: Type.Optional(
      Type.Object(
        {
          encoding: Type.String({ description: "gsm7 or ucs2" }),
          segments: Type.Integer({ description: "What is paid for" }),
          characters: Type.Integer({
            description: "Of the encoding, in which some count twice",
          }),
        },
        { description: "How a text would be sent" },
      ),
    ),
  },
  { title: "TemplatePreview" },
);

const related = Type.Object({
  type: Type.String({ maxLength: 128, description: "Kind of the object" }),
  id: Type.Union([Type.String({ maxLength: 128 }), Type.Integer()], {
    description: "Its id; a whole number is its decimal text",
  }),
});

const relatedObjects = Type.Array(related, {
  maxItems: 32,
  description: "Objects of the application",
  ...failsWith("MESSAGE_OPTION_INVALID"),
});

const CanSendRequest = Type.Object(
  { relatedObjects: Type.Optional(relatedObjects) },
  { title: "CanSendRequest" },
);

const CanSendBody = Type.Object(
  {
    canSend: Type.Boolean({ description: "Whether it would be sent now" }),
    refusals: Type.Array(Type.String(), {
      description:
        "Why not: `inactive`; `duplicate`: it was sent about all these objects; `disallowed`: it may not be sent about one of them",
    }),
  },
  { title: "CanSend" },
);

const DisallowedRequest = Type.Object(
  { objects: relatedObjects },
  { title: "DisallowedObjects" },
);

const DisallowedList = Type.Object(
  {
    objects: Type.Array(
      Type.Object({
        type: Type.String({ description: "Kind of the object" }),
        id: Type.String({ description: "Its id" }),
        createdAt: instant("Since when"),
      }),
      { description: "By type and id" },
    ),
    next: Type.Optional(
      Type.String({ description: "`after` of the next page, if there is one" }),
    ),
  },
  { title: "DisallowedObjectList" },
);

const after = Type.Optional(
  Type.String({ maxLength: 600, description: "`next` of the page before" }),
);

const tags = ["Templates"];
const reading = { config: { operation: "templates.read" } } as const;
const writing = { config: { operation: "templates.write" } } as const;

export function storedTemplateRoutes(
  app: HttpApp,
  { storedTemplates: templates }: StoredTemplateRoutesPorts,
): void {
  app.get(
    "/templates",
    {
      ...reading,
      schema: {
        summary: "Lists templates of texts and mails",
        tags,
        querystring: Type.Object({
          channel: Type.Optional(channel),
          limit: limitParameter,
          after,
        }),
        response: { 200: TemplateList, ...refusals },
      },
    },
    async (request) => {
      const { query } = request;
      const limit = readLimit(query.limit);
      const found = await templates.list(projectOf(request), query.channel, {
        limit: limit + 1,
        ...(query.after !== undefined && { after: parseKey(query.after) }),
      });
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return {
        templates: page.map(toSummaryBody),
        ...(last &&
          found.length > limit && { next: `${last.channel}.${last.slug}` }),
      };
    },
  );

  app.get(
    "/templates/:channel/:slug",
    {
      ...reading,
      schema: {
        summary: "Shows a template",
        tags,
        params,
        response: { 200: TemplateBody, ...refusals },
      },
    },
    async (request) => {
      const { channel, slug } = request.params;
      return toBody(await templates.get(projectOf(request), channel, slug));
    },
  );

  app.put(
    "/templates/:channel/:slug",
    {
      ...writing,
      bodyLimit: maxBodyBytes,
      schema: {
        summary: "Makes a template, or puts it in place of another",
        description:
          "With `If-None-Match: *` it is made only if there is none yet.",
        tags,
        params,
        querystring: Type.Object({
          dryRun: Type.Optional(
            Type.Literal("true", {
              description:
                "It is checked, and nothing is kept: the answer is 204",
            }),
          ),
        }),
        body: NewTemplate,
        response: {
          200: TemplateBody,
          201: TemplateBody,
          204: Type.Null(),
          ...refusals,
        },
      },
    },
    async (request, reply) => {
      const { channel, slug } = request.params;
      const draft = toDraft(request.body);
      const project = projectOf(request);
      if (request.query.dryRun) {
        await templates.check(channel, slug, draft);
        return reply.code(204).send(null);
      }
      if (request.headers["if-none-match"] === "*") {
        reply.code(201);
        return toBody(await templates.create(project, channel, slug, draft));
      }
      const put = await templates.put(project, channel, slug, draft);
      reply.code(put.isNew ? 201 : 200);
      return toBody(put.template);
    },
  );

  app.patch(
    "/templates/:channel/:slug",
    {
      ...writing,
      bodyLimit: maxBodyBytes,
      schema: {
        summary: "Changes the members of a template that are given",
        tags,
        params,
        body: TemplateChanges,
        response: { 200: TemplateBody, ...refusals },
      },
    },
    async (request) => {
      const { channel, slug } = request.params;
      const changes = toDraft(request.body);
      return toBody(
        await templates.update(projectOf(request), channel, slug, changes),
      );
    },
  );

  app.delete(
    "/templates/:channel/:slug",
    {
      ...writing,
      schema: {
        summary: "Deletes a template",
        description: "Messages that were made from it keep its slug.",
        tags,
        params,
        response: { 204: Type.Null(), ...refusals },
      },
    },
    async (request, reply) => {
      const { channel, slug } = request.params;
      await templates.remove(projectOf(request), channel, slug);
      return reply.code(204).send(null);
    },
  );

  app.post(
    "/templates/:channel/:slug/preview",
    {
      ...reading,
      schema: {
        summary: "Shows what a template makes",
        tags,
        params,
        body: PreviewRequest,
        response: { 200: PreviewBody, ...refusals },
      },
    },
    async (request) => {
      const { channel, slug } = request.params;
      const { context, recipient } = request.body;
      return toPreviewBody(
        await templates.preview(
          projectOf(request),
          channel,
          slug,
          context,
          recipient,
        ),
      );
    },
  );

  app.post(
    "/templates/:channel/:slug/can-send",
    {
      ...reading,
      schema: {
        summary: "Tells whether a template may be sent",
        tags,
        params,
        body: CanSendRequest,
        response: { 200: CanSendBody, ...refusals },
      },
    },
    async (request) => {
      const { channel, slug } = request.params;
      const found = await templates.canSend(
        projectOf(request),
        channel,
        slug,
        request.body.relatedObjects,
      );
      return { canSend: found.length === 0, refusals: [...found] };
    },
  );

  disallowedRoutes(app, templates);
}

/** Of one template, and of all of a channel. */
function disallowedRoutes(app: HttpApp, templates: StoredTemplates): void {
  for (const { path, params: pathParams, what } of [
    {
      path: "/disallowed-objects/:channel",
      params: channelParams,
      what: "no template of the channel",
    },
    {
      path: "/templates/:channel/:slug/disallowed-objects",
      params,
      what: "a template not",
    },
  ] as const) {
    const scopeOf = (given: object) => ({
      channel: "channel" in given ? given.channel : undefined,
      slug: "slug" in given ? given.slug : undefined,
    });

    app.get(
      path,
      {
        ...reading,
        schema: {
          summary: `Lists the objects that ${what} may be sent about`,
          tags,
          params: pathParams,
          querystring: Type.Object({ limit: limitParameter, after }),
          response: { 200: DisallowedList, ...refusals },
        },
      },
      async (request) => {
        const { channel, slug } = scopeOf(request.params);
        const limit = readLimit(request.query.limit);
        const marker = request.query.after;
        const found = await templates.listDisallowed(
          projectOf(request),
          channel,
          slug,
          {
            limit: limit + 1,
            ...(marker !== undefined && { after: parseObject(marker) }),
          },
        );
        const page = found.slice(0, limit);
        const last = page.at(-1);
        return {
          objects: page.map(({ createdAt, ...object }) => ({
            ...object,
            createdAt: toMillisecondsText(createdAt),
          })),
          ...(last &&
            found.length > limit && { next: `${last.type} ${last.id}` }),
        };
      },
    );

    app.put(
      path,
      {
        ...writing,
        schema: {
          summary: `Adds objects that ${what} may be sent about`,
          tags,
          params: pathParams,
          body: DisallowedRequest,
          response: { 204: Type.Null(), ...refusals },
        },
      },
      async (request, reply) => {
        const { channel, slug } = scopeOf(request.params);
        const { objects } = request.body;
        await templates.disallow(projectOf(request), channel, slug, objects);
        return reply.code(204).send(null);
      },
    );

    app.delete(
      path,
      {
        ...writing,
        schema: {
          summary: `Removes an object that ${what} may be sent about`,
          tags,
          params: pathParams,
          querystring: Type.Object({
            type: Type.String({
              maxLength: 128,
              description: "Kind of the object",
            }),
            id: Type.String({ maxLength: 128, description: "Its id" }),
          }),
          response: { 204: Type.Null(), ...refusals },
        },
      },
      async (request, reply) => {
        const { channel, slug } = scopeOf(request.params);
        const { type, id } = request.query;
        const objects = [{ type, id }];
        // Twice is fine.
        await templates.allow(projectOf(request), channel, slug, objects);
        return reply.code(204).send(null);
      },
    );
  }
}

/** Attachments in Base64, and some room. */
const maxBodyBytes = Math.ceil(attachmentBytes / 3) * 4 + 1_000_000;

type Draft = Partial<Static<typeof NewTemplate>>;

/** @throws CarillonError TEMPLATE_INVALID */
function toDraft<Given extends Draft>({ attachments, ...members }: Given) {
  return {
    ...members,
    ...(attachments !== undefined && {
      attachments: attachments?.map(({ content, ...attachment }, n) => ({
        ...attachment,
        content: bytesOf(content, n),
      })),
    }),
  };
}

function bytesOf(base64: string, n: number): Uint8Array {
  const bytes = Buffer.from(base64, "base64");
  const isWhole =
    bytes.toString("base64").replace(/=+$/, "") === base64.replace(/=+$/, "");
  if (isWhole) return new Uint8Array(bytes);
  throw new CarillonError(
    "TEMPLATE_INVALID",
    `Invalid attachments[${n}].content: Base64 is expected.`,
  );
}

function toSummaryBody({
  createdAt,
  changedAt,
  ...template
}: StoredTemplateSummary): Static<typeof SummaryBody> {
  return {
    ...template,
    createdAt: toMillisecondsText(createdAt),
    changedAt: toMillisecondsText(changedAt),
  };
}

function toBody({
  body,
  attachments,
  ...summary
}: StoredTemplate): Static<typeof TemplateBody> {
  return {
    ...toSummaryBody(summary),
    body,
    ...(attachments && {
      attachments: attachments.map(({ content, ...attachment }) => ({
        ...attachment,
        content: Buffer.from(content).toString("base64"),
      })),
    }),
  };
}

function toPreviewBody({
  template: _,
  ...preview
}: TemplatePreview): Static<typeof PreviewBody> {
  return preview;
}

/** @throws CarillonError PAGE_INVALID */
function parseKey(text: string): StoredTemplateKey {
  const [, name, slug] = /^([a-z]+)\.([\w-]{1,100})$/.exec(text) ?? [];
  const channel = storedChannels.find((it) => it === name);
  if (channel !== undefined && slug !== undefined) return { channel, slug };
  throw invalidMarker();
}

/** @throws CarillonError PAGE_INVALID */
function parseObject(text: string): RelatedObject {
  const [, type, id] = /^(\S{1,128}) (.{1,128})$/s.exec(text) ?? [];
  if (type !== undefined && id !== undefined) return { type, id };
  throw invalidMarker();
}

function invalidMarker(): CarillonError {
  return new CarillonError(
    "PAGE_INVALID",
    "Invalid after: the next of a page before is expected.",
  );
}
