/** The key that a topic's messages are sealed with. */

import { Type } from "../../json-schema.ts";
import { keyIdPattern } from "../../keys/keys.ts";
import { projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { failsWith } from "../validation.ts";
import type { SmnPorts } from "./ports.ts";
import { topicParams } from "./topics.ts";

const kmsBody = Type.Object(
  {
    key_id: Type.String({
      pattern: keyIdPattern.source,
      ...failsWith("BINDING_INVALID"),
    }),
  },
  failsWith("BINDING_INVALID"),
);

const kmsParams = Type.Object({
  ...topicParams.properties,
  kms_id: Type.String(),
});

/** What a key is that was bound before it was made. */
const notThereYet = "PENDING_IMPORT";

export function kmsRoutes(
  app: HttpApp,
  { bindings, keys }: Pick<SmnPorts, "bindings" | "keys">,
): void {
  app.post(
    "/topics/:topic_urn/kms",
    {
      config: { operation: "topics.write" },
      schema: { params: topicParams, body: kmsBody },
    },
    async (request, reply) => {
      const { id } = await bindings.create(
        projectOf(request),
        request.params.topic_urn,
        "kms",
        { keyId: request.body.key_id },
      );
      reply.code(201);
      return { request_id: request.id, id };
    },
  );

  app.get(
    "/topics/:topic_urn/kms",
    { config: { operation: "topics.read" }, schema: { params: topicParams } },
    async (request) => {
      const projectId = projectOf(request);
      const { id, data } = await bindings.get(
        projectId,
        request.params.topic_urn,
        "kms",
      );
      const key = keys.find(projectId, data.keyId);
      return {
        request_id: request.id,
        id,
        key_id: data.keyId,
        status: key?.status ?? notThereYet,
      };
    },
  );

  app.put(
    "/topics/:topic_urn/kms/:kms_id",
    {
      config: { operation: "topics.write" },
      schema: { params: kmsParams, body: kmsBody },
    },
    async (request) => {
      const { topic_urn, kms_id } = request.params;
      const { id } = await bindings.update(
        projectOf(request),
        topic_urn,
        "kms",
        kms_id,
        { keyId: request.body.key_id },
      );
      return { request_id: request.id, id };
    },
  );

  app.delete(
    "/topics/:topic_urn/kms/:kms_id",
    { config: { operation: "topics.write" }, schema: { params: kmsParams } },
    async (request) => {
      const { topic_urn, kms_id } = request.params;
      await bindings.remove(projectOf(request), topic_urn, "kms", kms_id);
      return { request_id: request.id };
    },
  );
}
