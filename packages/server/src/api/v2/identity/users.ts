/** Users, for administrators and operators. */

import type { User } from "@carillon/core";
import type { FastifyRequest } from "fastify";
import type { Static } from "typebox";
import type { AdministrationWithin } from "../../../identity/administration/administration.ts";
import { Type } from "../../../json-schema.ts";
import { principalOf } from "../../authentication.ts";
import { requestReach } from "../../authorization.ts";
import type { HttpApp } from "../../http-app.ts";
import { refusals } from "../error-answers.ts";
import { Role } from "../schema-parts.ts";
import { domainId, idOf, name, password } from "./schemas.ts";

const UserBody = Type.Object(
  {
    id: Type.String({ description: "Of the user" }),
    name: Type.String({ description: "Unique in its domain" }),
    domainId: Type.String({ description: "The domain it is in" }),
    role: Role,
    projectIds: Type.Array(Type.String(), {
      description: "The projects it is assigned to",
    }),
    enabled: Type.Boolean({
      description: "False: it cannot log in, and its keys rest",
    }),
  },
  { title: "User" },
);

const UserWithPassword = Type.Object(
  {
    ...UserBody.properties,
    password: Type.Optional(
      Type.String({ description: "If it was made up; it is not shown again" }),
    ),
  },
  { title: "UserWithPassword" },
);

const NewUser = Type.Object(
  {
    name,
    domainId: Type.Optional(domainId),
    role: Type.Optional({ ...Role, default: "member" }),
    projectIds: Type.Optional(
      Type.Array(Type.String({ maxLength: 128 }), {
        maxItems: 1000,
        description: "The projects of its domain that it is assigned to",
      }),
    ),
    password: Type.Optional(password),
  },
  { title: "NewUser" },
);

const userId = idOf("Id of a user");
const params = Type.Object({ userId });
const assignmentParams = Type.Object({
  userId,
  projectId: idOf("Id of a project of its domain"),
});

export function userRoutes(app: HttpApp, within: AdministrationWithin): void {
  const tags = ["Identity"];
  const usersOf = (request: FastifyRequest) =>
    within(requestReach(request)).users;

  app.post(
    "/users",
    {
      config: { operation: "users.write" },
      schema: {
        summary: "Creates a user; a member unless said otherwise",
        tags,
        body: NewUser,
        response: { 201: UserWithPassword, ...refusals },
      },
    },
    async (request, reply) => {
      const { user, ...secret } = await usersOf(request).create({
        domainId: principalOf(request).domainId,
        role: "member",
        projectIds: [],
        ...request.body,
      });
      return reply.code(201).send({ ...toBody(user), ...secret });
    },
  );

  app.get(
    "/users",
    {
      config: { operation: "users.read" },
      schema: {
        summary: "Lists users",
        tags,
        querystring: Type.Object({
          domainId: Type.Optional(idOf("Only those of this domain")),
          name: Type.Optional(
            Type.String({ description: "Only those of this name" }),
          ),
        }),
        response: {
          200: Type.Object({
            users: Type.Array(UserBody, {
              description: "Those the caller reaches",
            }),
          }),
          ...refusals,
        },
      },
    },
    async (request) => ({
      users: (await usersOf(request).list(request.query)).map(toBody),
    }),
  );

  app.get(
    "/users/:userId",
    {
      config: { operation: "users.read" },
      schema: {
        summary: "Shows a user",
        tags,
        params,
        response: { 200: UserBody, ...refusals },
      },
    },
    async (request) =>
      toBody(await usersOf(request).get(request.params.userId)),
  );

  app.patch(
    "/users/:userId",
    {
      config: { operation: "users.write" },
      schema: {
        summary: "Enables or disables a user, or gives it another role",
        description:
          "Who is disabled is logged out; its access keys rest until it is enabled.",
        tags,
        params,
        body: Type.Object({
          enabled: Type.Optional(
            Type.Boolean({
              description: "True: enables it; false: disables it",
            }),
          ),
          role: Type.Optional(Role),
        }),
        response: { 200: UserBody, ...refusals },
      },
    },
    async (request) =>
      toBody(
        await usersOf(request).change(request.params.userId, request.body),
      ),
  );

  app.put(
    "/users/:userId/projects/:projectId",
    {
      config: { operation: "users.write" },
      schema: {
        summary: "Assigns a user to a project of its domain",
        tags,
        params: assignmentParams,
        response: { 200: UserBody, ...refusals },
      },
    },
    async (request) => {
      const { userId, projectId } = request.params;
      return toBody(await usersOf(request).assign(userId, projectId));
    },
  );

  app.delete(
    "/users/:userId/projects/:projectId",
    {
      config: { operation: "users.write" },
      schema: {
        summary: "Takes a project from a user",
        description: "Its access keys for that project stop working.",
        tags,
        params: assignmentParams,
        response: { 200: UserBody, ...refusals },
      },
    },
    async (request) => {
      const { userId, projectId } = request.params;
      return toBody(await usersOf(request).unassign(userId, projectId));
    },
  );

  app.post(
    "/users/:userId/rotate",
    {
      config: { operation: "users.write" },
      schema: {
        summary: "Gives a user another password, and logs it out",
        description: "Without a body the password is made up.",
        tags,
        params,
        body: Type.Object({ password: Type.Optional(password) }),
        response: { 200: UserWithPassword, ...refusals },
      },
    },
    async (request) => {
      const { user, ...secret } = await usersOf(request).rotate(
        request.params.userId,
        request.body.password,
      );
      return { ...toBody(user), ...secret };
    },
  );

  app.delete(
    "/users/:userId",
    {
      config: { operation: "users.write" },
      schema: {
        summary: "Deletes a user with its access keys",
        tags,
        params,
        response: { 204: Type.Null(), ...refusals },
      },
    },
    async (request, reply) => {
      await usersOf(request).delete(request.params.userId);
      return reply.code(204).send(null);
    },
  );
}

function toBody(user: User): Static<typeof UserBody> {
  const { id, name, domainId, role, projectIds, disabled } = user;
  return {
    id,
    name,
    domainId,
    role,
    projectIds: [...projectIds],
    enabled: !disabled,
  };
}
