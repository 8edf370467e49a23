/** Templates of texts and mails, found by channel and slug. */

import { mailLimits, type StoredTemplates } from "@carillon/core";
import { Type } from "../../../json-schema.ts";
import { projectOf } from "../../authentication.ts";
import type { HttpApp } from "../../http-app.ts";
import { mailBodyBytes, messageBodyBytes } from "../../json-body.ts";
import { refusals } from "../error-answers.ts";
import { limitParameter, readLimit } from "../schema-parts.ts";
import {
  parseTemplateKey,
  toDraft,
  toPreviewBody,
  toSummaryBody,
  toTemplateBody,
} from "./bodies.ts";
import { disallowedObjectRoutes } from "./disallowed-objects.ts";
import {
  after,
  CanSendBody,
  CanSendRequest,
  channel,
  NewTemplate,
  PreviewBody,
  PreviewRequest,
  params,
  TemplateBody,
  TemplateChanges,
  TemplateList,
} from "./schemas.ts";

export interface StoredTemplateRoutesPorts {
  readonly storedTemplates: StoredTemplates;
  /** Of all attachments of a mail, at most, as it is set now. */
  readonly maxAttachmentBytes: () => number;
}

const tags = ["Templates"];
const reading = { config: { operation: "templates.read" } } as const;
const writing = { config: { operation: "templates.write" } } as const;

export function storedTemplateRoutes(
  app: HttpApp,
  { storedTemplates: templates, maxAttachmentBytes }: StoredTemplateRoutesPorts,
): void {
  const bodyBytes = () => mailBodyBytes(maxAttachmentBytes());
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
        ...(query.after !== undefined && {
          after: parseTemplateKey(query.after),
        }),
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
      return toTemplateBody(
        await templates.get(projectOf(request), channel, slug),
      );
    },
  );

  app.put(
    "/templates/:channel/:slug",
    {
      config: { ...writing.config, bodyBytes },
      bodyLimit: mailBodyBytes(mailLimits.mostAttachmentBytes),
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
        return toTemplateBody(
          await templates.create(project, channel, slug, draft),
        );
      }
      const put = await templates.put(project, channel, slug, draft);
      reply.code(put.isNew ? 201 : 200);
      return toTemplateBody(put.template);
    },
  );

  app.patch(
    "/templates/:channel/:slug",
    {
      config: { ...writing.config, bodyBytes },
      bodyLimit: mailBodyBytes(mailLimits.mostAttachmentBytes),
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
      return toTemplateBody(
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
      // A context is as large as it may be where it is sent.
      bodyLimit: messageBodyBytes,
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

  disallowedObjectRoutes(app, templates);
}
