/** The key that a topic's messages are sealed with. */

import { CarillonError, type ProjectId } from "@carillon/core";
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

/** What SMN calls a key that is bound and not there. */
const notThere = "PENDING_IMPORT";

export function kmsRoutes(
  app: HttpApp,
  { bindings, keys }: Pick<SmnPorts, "bindings" | "keys">,
): void {
  /**
   * Publishers would be refused; whoever binds it is the one to be told.
   *
   * @throws CarillonError BINDING_INVALID
   */
  async function checkKey(
    projectId: ProjectId,
    keyId: string,
  ): Promise<string> {
    if (keys.find(projectId, keyId)) return keyId;
    // Another node may have made it a moment ago.
    await keys.refresh();
    if (keys.find(projectId, keyId)) return keyId;
    throw new CarillonError(
      "BINDING_INVALID",
      `There is no key ${keyId} in this project: make it first.`,
    );
  }

  app.post(
    "/topics/:topic_urn/kms",
    {
      config: { operation: "topics.write" },
      schema: { params: topicParams, body: kmsBody },
    },
    async (request, reply) => {
      const projectId = projectOf(request);
      const { id } = await bindings.create(
        projectId,
        request.params.topic_urn,
        "kms",
        { keyId: await checkKey(projectId, request.body.key_id) },
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
        status: key?.status ?? notThere,
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
      const projectId = projectOf(request);
      const { id } = await bindings.update(
        projectId,
        topic_urn,
        "kms",
        kms_id,
        { keyId: await checkKey(projectId, request.body.key_id) },
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
