/** A topic's attributes: show, set and reset them. */

import { attributesOf, checkAttributeName } from "@carillon/core";
import { Type } from "../../json-schema.ts";
import type { HttpApp } from "../http-app.ts";
import { listBodyBytes } from "../json-body.ts";
import { projectFor } from "../topic-access.ts";
import { failsWith } from "../validation.ts";
import type { SmnPorts } from "./ports.ts";
import { topicParams } from "./topics.ts";

const attributeParams = Type.Object({
  ...topicParams.properties,
  name: Type.String(),
});

const showQuery = Type.Object({
  name: Type.Optional(Type.String(failsWith("TOPIC_ATTRIBUTE_INVALID"))),
});

export function topicAttributeRoutes(app: HttpApp, ports: SmnPorts): void {
  const { topics } = ports;

  app.get(
    "/topics/:topic_urn/attributes",
    {
      config: { operation: "topics.read" },
      schema: { params: topicParams, querystring: showQuery },
    },
    async (request) => {
      const { topic_urn } = request.params;
      const name = request.query.name
        ? checkAttributeName(request.query.name)
        : undefined;
      const action = "SMN:ListTopicAttributes";
      const projectId = await projectFor(request, ports, topic_urn, action);
      const attributes = attributesOf(await topics.get(projectId, topic_urn));
      return {
        request_id: request.id,
        attributes: name ? { [name]: attributes[name] } : attributes,
      };
    },
  );

  app.put(
    "/topics/:topic_urn/attributes/:name",
    {
      config: {
        operation: "topics.write",
        errorCodes: { BODY_TOO_LARGE: "TOPIC_ATTRIBUTE_TOO_LONG" },
      },
      // Which error a wrong body is depends on the attribute: core decides.
      schema: { params: attributeParams },
      bodyLimit: listBodyBytes,
    },
    async (request) => {
      const { topic_urn, name } = request.params;
      const action = "SMN:UpdateTopicAttribute";
      const projectId = await projectFor(request, ports, topic_urn, action);
      const { value } = (request.body ?? {}) as { readonly value?: unknown };
      await topics.setAttribute(projectId, topic_urn, name, value);
      return { request_id: request.id };
    },
  );

  app.delete(
    "/topics/:topic_urn/attributes",
    { config: { operation: "topics.write" }, schema: { params: topicParams } },
    async (request) => {
      const { topic_urn } = request.params;
      const action = "SMN:DeleteTopicAttributes";
      const projectId = await projectFor(request, ports, topic_urn, action);
      await topics.resetAttributes(projectId, topic_urn);
      return { request_id: request.id };
    },
  );

  app.delete(
    "/topics/:topic_urn/attributes/:name",
    {
      config: { operation: "topics.write" },
      schema: { params: attributeParams },
    },
    async (request) => {
      const { topic_urn, name } = request.params;
      const action = "SMN:DeleteTopicAttributeByName";
      const projectId = await projectFor(request, ports, topic_urn, action);
      await topics.resetAttributes(projectId, topic_urn, name);
      return { request_id: request.id };
    },
  );
}
