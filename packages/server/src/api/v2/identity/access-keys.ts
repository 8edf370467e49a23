/** Access keys, for administrators and operators. */

import type { AccessKey } from "@carillon/core";
import type { FastifyRequest } from "fastify";
import type { Static } from "typebox";
import type { AdministrationWithin } from "../../../identity/administration/administration.ts";
import { Type } from "../../../json-schema.ts";
import { requestReach } from "../../authorization.ts";
import type { HttpApp } from "../../http-app.ts";
import { toMillisecondsText } from "../../timestamps.ts";
import { refusals } from "../error-answers.ts";
import { instant } from "../schema-parts.ts";
import { idOf, Switch } from "./schemas.ts";

const AccessKeyBody = Type.Object(
  {
    accessKey: Type.String({ description: "Its id" }),
    userId: Type.String({ description: "The user it acts as" }),
    projectId: Type.String({ description: "The project it acts in" }),
    createdAt: instant("When it was created"),
    enabled: Type.Boolean({ description: "False: it is refused" }),
  },
  { title: "AccessKey" },
);

const AccessKeyWithSecret = Type.Object(
  {
    ...AccessKeyBody.properties,
    secretKey: Type.String({ description: "Not shown again" }),
  },
  { title: "AccessKeyWithSecret" },
);

const NewAccessKey = Type.Object(
  {
    userId: idOf("The user it is to act as"),
    projectId: Type.Optional(
      Type.String({
        maxLength: 128,
        description:
          "The project it is to act in; by default the only one the user may act in",
      }),
    ),
  },
  { title: "NewAccessKey" },
);

const params = Type.Object({ accessKey: idOf("Id of an access key") });

export function accessKeyRoutes(
  app: HttpApp,
  within: AdministrationWithin,
): void {
  const tags = ["Identity"];
  const accessKeysOf = (request: FastifyRequest) =>
    within(requestReach(request)).accessKeys;

  app.post(
    "/access-keys",
    {
      config: { operation: "access-keys.write" },
      schema: {
        summary: "Creates an access key for a user in a project",
        tags,
        body: NewAccessKey,
        response: { 201: AccessKeyWithSecret, ...refusals },
      },
    },
    async (request, reply) => {
      const { key, secretKey } = await accessKeysOf(request).create(
        request.body,
      );
      return reply.code(201).send({ ...toBody(key), secretKey });
    },
  );

  app.get(
    "/access-keys",
    {
      config: { operation: "access-keys.read" },
      schema: {
        summary: "Lists access keys",
        tags,
        querystring: Type.Object({
          userId: Type.Optional(idOf("Only those of this user")),
          projectId: Type.Optional(idOf("Only those for this project")),
        }),
        response: {
          200: Type.Object({
            accessKeys: Type.Array(AccessKeyBody, {
              description: "Those the caller reaches",
            }),
          }),
          ...refusals,
        },
      },
    },
    async (request) => ({
      accessKeys: (await accessKeysOf(request).list(request.query)).map(toBody),
    }),
  );

  app.get(
    "/access-keys/:accessKey",
    {
      config: { operation: "access-keys.read" },
      schema: {
        summary: "Shows an access key without its secret",
        tags,
        params,
        response: { 200: AccessKeyBody, ...refusals },
      },
    },
    async (request) =>
      toBody(await accessKeysOf(request).get(request.params.accessKey)),
  );

  app.patch(
    "/access-keys/:accessKey",
    {
      config: { operation: "access-keys.write" },
      schema: {
        summary: "Enables or disables an access key",
        tags,
        params,
        body: Switch,
        response: { 200: AccessKeyBody, ...refusals },
      },
    },
    async (request) =>
      toBody(
        await accessKeysOf(request).setEnabled(
          request.params.accessKey,
          request.body.enabled,
        ),
      ),
  );

  app.post(
    "/access-keys/:accessKey/rotate",
    {
      config: { operation: "access-keys.write" },
      schema: {
        summary: "Gives an access key another secret",
        description:
          "The secret before stops working at once. To change keys without a gap create a second one and delete the first.",
        tags,
        params,
        response: { 200: AccessKeyWithSecret, ...refusals },
      },
    },
    async (request) => {
      const { key, secretKey } = await accessKeysOf(request).rotate(
        request.params.accessKey,
      );
      return { ...toBody(key), secretKey };
    },
  );

  app.delete(
    "/access-keys/:accessKey",
    {
      config: { operation: "access-keys.write" },
      schema: {
        summary: "Deletes an access key",
        tags,
        params,
        response: { 204: Type.Null(), ...refusals },
      },
    },
    async (request, reply) => {
      await accessKeysOf(request).delete(request.params.accessKey);
      return reply.code(204).send(null);
    },
  );
}

function toBody(key: AccessKey): Static<typeof AccessKeyBody> {
  const { accessKey, userId, projectId, createdAt, disabled } = key;
  return {
    accessKey,
    userId,
    projectId,
    createdAt: toMillisecondsText(createdAt),
    enabled: !disabled,
  };
}
