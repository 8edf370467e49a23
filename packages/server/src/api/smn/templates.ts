/** Message templates: create, list, show, update, delete. */

import { type MessageTemplateSummary, maxMessageBytes } from "@carillon/core";
import { Type } from "../../json-schema.ts";
import { projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { messageBodyBytes } from "../json-body.ts";
import { toSecondsText } from "../timestamps.ts";
import { failsWith } from "../validation.ts";
import { listPage, nextPageLink, pageParameters, readPage } from "./page.ts";
import type { SmnPorts } from "./ports.ts";
import { toFilter } from "./query-filter.ts";

const content = Type.Optional(
  Type.Unknown({
    maxLength: maxMessageBytes,
    ...failsWith("TEMPLATE_CONTENT_INVALID"),
  }),
);

// Core checks the members, each with an error of its own.
const createBody = Type.Object(
  {
    message_template_name: Type.Optional(Type.Unknown()),
    protocol: Type.Optional(Type.Unknown(failsWith("PROTOCOL_INVALID"))),
    content,
  },
  failsWith("TEMPLATE_NAME_INVALID"),
);

const updateBody = Type.Object(
  { content },
  failsWith("TEMPLATE_CONTENT_INVALID"),
);

const listQuery = Type.Object({
  ...pageParameters,
  message_template_name: Type.Optional(
    Type.String(failsWith("TEMPLATE_NAME_INVALID")),
  ),
  protocol: Type.Optional(Type.String(failsWith("PROTOCOL_INVALID"))),
});

const templateParams = Type.Object({ message_template_id: Type.String() });

const tooLarge = { BODY_TOO_LARGE: "TEMPLATE_CONTENT_INVALID" } as const;

export function templateRoutes(app: HttpApp, ports: SmnPorts): void {
  const { templates, originOf } = ports;

  app.post(
    "/message_template",
    {
      config: { operation: "templates.write", errorCodes: tooLarge },
      schema: { body: createBody },
      bodyLimit: messageBodyBytes,
    },
    async (request, reply) => {
      const { message_template_name, protocol, content } = request.body;
      const { id } = await templates.create(projectOf(request), {
        name: message_template_name,
        // Some clients send each field, empty when unused.
        protocol: protocol === "" ? undefined : protocol,
        content,
      });
      reply.code(201);
      return { request_id: request.id, message_template_id: id };
    },
  );

  app.get(
    "/message_template",
    {
      config: { operation: "templates.read" },
      schema: { querystring: listQuery },
    },
    async (request) => {
      const { query } = request;
      const page = await readPage(query, (marker) => marker);
      const filter = toFilter({
        name: query.message_template_name,
        protocol: query.protocol,
      });
      const listed = await listPage(page, (one) =>
        templates.list(projectOf(request), filter, one),
      );
      return {
        request_id: request.id,
        message_template_count: listed.total,
        message_templates: listed.items.map(toTemplateBody),
        ...nextPageLink(
          request,
          originOf,
          "message_templates",
          listed,
          ({ id }) => id,
        ),
      };
    },
  );

  app.get(
    "/message_template/:message_template_id",
    {
      config: { operation: "templates.read" },
      schema: { params: templateParams },
    },
    async (request) => {
      const template = await templates.get(
        projectOf(request),
        request.params.message_template_id,
      );
      return {
        ...toTemplateBody(template),
        content: template.content,
        request_id: request.id,
      };
    },
  );

  app.put(
    "/message_template/:message_template_id",
    {
      config: { operation: "templates.write", errorCodes: tooLarge },
      schema: { params: templateParams, body: updateBody },
      bodyLimit: messageBodyBytes,
    },
    async (request) => {
      await templates.update(
        projectOf(request),
        request.params.message_template_id,
        request.body.content,
      );
      return { request_id: request.id };
    },
  );

  app.delete(
    "/message_template/:message_template_id",
    {
      config: { operation: "templates.write" },
      schema: { params: templateParams },
    },
    async (request) => {
      await templates.remove(
        projectOf(request),
        request.params.message_template_id,
      );
      return { request_id: request.id };
    },
  );
}

function toTemplateBody(template: MessageTemplateSummary) {
  return {
    message_template_id: template.id,
    message_template_name: template.name,
    protocol: template.protocol,
    tag_names: template.tagNames,
    create_time: toSecondsText(template.createdAt),
    update_time: toSecondsText(template.updatedAt),
  };
}
