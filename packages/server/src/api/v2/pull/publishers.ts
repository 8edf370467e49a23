/** Publisher accounts and their categories. */

import type { ListedCategory, PullPublisher } from "@carillon/core";
import type { Static } from "typebox";
import { Type } from "../../../json-schema.ts";
import { projectOf } from "../../authentication.ts";
import type { HttpApp } from "../../http-app.ts";
import { toMillisecondsText } from "../../timestamps.ts";
import { failsWith } from "../../validation.ts";
import { refusals } from "../error-answers.ts";
import { instant, readLimit } from "../schema-parts.ts";
import {
  accountListQuery,
  disabled,
  nameParams,
  next,
  pageOf,
  reference,
  secret,
} from "./account-schemas.ts";
import type { PullPorts } from "./ports.ts";

const PublisherBody = Type.Object(
  {
    id: Type.String({ description: "The user name of its credentials" }),
    name: Type.String({ description: "Unique in the project" }),
    topicName: Type.String({ description: "The topic of `*`" }),
    topicUrn: Type.String({
      description: "Of that topic: whoever is subscribed to it gets all",
    }),
    disabled,
    createdAt: instant("When it was created"),
  },
  { title: "Publisher" },
);

const PublisherWithSecret = Type.Object(
  { ...PublisherBody.properties, secret },
  { title: "PublisherWithSecret" },
);

const NewPublisher = Type.Object(
  {
    name: Type.String({
      description: "A name as topics have them, unique in the project",
      ...failsWith("PUBLISHER_INVALID"),
    }),
    topic: Type.Optional(
      Type.String({
        description:
          "Name of its topic, which is made if there is none; default: its own name",
        ...failsWith("TOPIC_NAME_INVALID"),
      }),
    ),
  },
  { title: "NewPublisher" },
);

const CategoryBody = Type.Object(
  {
    reference: Type.String({ description: "As publishers name it" }),
    topicName: Type.String({ description: "The topic behind it" }),
    topicUrn: Type.String({ description: "Of that topic" }),
    topicDeleted: Type.Optional(
      Type.Boolean({
        description:
          "True in lists: the topic was deleted, and nobody gets what is published to the category until there is one of that name",
      }),
    ),
    createdAt: instant("When it was added"),
  },
  { title: "Category" },
);

const AddedCategory = Type.Object(
  {
    ...CategoryBody.properties,
    created: Type.Boolean({ description: "False: there was one" }),
  },
  { title: "AddedCategory" },
);

const NewCategory = Type.Object(
  {
    reference,
    topic: Type.Optional(
      Type.String({
        description:
          "Name of its topic, which is made if there is none; default: made from the publisher's name and the reference",
        ...failsWith("TOPIC_NAME_INVALID"),
      }),
    ),
  },
  { title: "NewCategory" },
);

const tags = ["Publishers"];
const params = nameParams("publisher");

export function publisherRoutes(
  app: HttpApp,
  { pullPublishers, topics }: Pick<PullPorts, "pullPublishers" | "topics">,
): void {
  const topicUrnOf = (
    { projectId }: Pick<PullPublisher, "projectId">,
    name: string,
  ) => topics.urnOf({ projectId, name });

  function toBody(publisher: PullPublisher): Static<typeof PublisherBody> {
    const { id, name, topicName, createdAt } = publisher;
    return {
      id,
      name,
      topicName,
      topicUrn: topicUrnOf(publisher, topicName),
      disabled: publisher.disabled === true,
      createdAt: toMillisecondsText(createdAt),
    };
  }

  function toCategoryBody(
    scope: Pick<PullPublisher, "projectId">,
    { reference, topicName, isTopicDeleted, createdAt }: ListedCategory,
  ): Static<typeof CategoryBody> {
    return {
      reference,
      topicName,
      topicUrn: topicUrnOf(scope, topicName),
      ...(isTopicDeleted && { topicDeleted: true }),
      createdAt: toMillisecondsText(createdAt),
    };
  }

  app.post(
    "/publishers",
    {
      config: { operation: "publishers.write" },
      schema: {
        summary: "Creates a publisher, with credentials",
        description:
          "The secret is shown once. With it programs publish by `POST /api/v1/notification`, as Notipy's clients do, and by `POST /api/v2/publishers/{name}/messages`.",
        tags,
        body: NewPublisher,
        response: { 201: PublisherWithSecret, ...refusals },
      },
    },
    async (request, reply) => {
      const created = await pullPublishers.create(
        projectOf(request),
        request.body,
      );
      return reply
        .code(201)
        .send({ ...toBody(created.account), secret: created.secret });
    },
  );

  app.get(
    "/publishers",
    {
      config: { operation: "publishers.read" },
      schema: {
        summary: "Lists publishers",
        tags,
        querystring: accountListQuery,
        response: {
          200: Type.Object({
            publishers: Type.Array(PublisherBody, {
              description: "Oldest first",
            }),
            next,
          }),
          ...refusals,
        },
      },
    },
    async (request) => {
      const { after } = request.query;
      const limit = readLimit(request.query.limit);
      const found = await pullPublishers.list(projectOf(request), {
        limit: limit + 1,
        ...(after !== undefined && { after }),
      });
      const { page, ...rest } = pageOf(found, limit);
      return { publishers: page.map(toBody), ...rest };
    },
  );

  app.get(
    "/publishers/:name",
    {
      config: { operation: "publishers.read" },
      schema: {
        summary: "Shows a publisher",
        tags,
        params,
        response: { 200: PublisherBody, ...refusals },
      },
    },
    async (request) =>
      toBody(await pullPublishers.get(projectOf(request), request.params.name)),
  );

  app.patch(
    "/publishers/:name",
    {
      config: { operation: "publishers.write" },
      schema: {
        summary: "Enables or disables a publisher",
        tags,
        params,
        body: Type.Object({ disabled }, { title: "PublisherChange" }),
        response: { 200: PublisherBody, ...refusals },
      },
    },
    async (request) =>
      toBody(
        await pullPublishers.setDisabled(
          projectOf(request),
          request.params.name,
          request.body.disabled,
        ),
      ),
  );

  app.post(
    "/publishers/:name/secret",
    {
      config: { operation: "publishers.write" },
      schema: {
        summary: "Gives a publisher another secret",
        description: "The one before stops working at once.",
        tags,
        params,
        response: { 200: PublisherWithSecret, ...refusals },
      },
    },
    async (request) => {
      const rotated = await pullPublishers.rotateSecret(
        projectOf(request),
        request.params.name,
      );
      return { ...toBody(rotated.account), secret: rotated.secret };
    },
  );

  app.delete(
    "/publishers/:name",
    {
      config: { operation: "publishers.write" },
      schema: {
        summary: "Deletes a publisher and its categories",
        description:
          "Its topics and their subscriptions stay, and so does what was published.",
        tags,
        params,
        response: { 204: Type.Null(), ...refusals },
      },
    },
    async (request, reply) => {
      await pullPublishers.remove(projectOf(request), request.params.name);
      return reply.code(204).send(null);
    },
  );

  const categories = "/publishers/:name/categories";

  app.post(
    categories,
    {
      config: { operation: "publishers.write" },
      schema: {
        summary: "Gives a publisher a category",
        description:
          "A category is a topic that the publisher knows by a reference; others can be subscribed to the topic, too.",
        tags,
        params,
        body: NewCategory,
        response: { 200: AddedCategory, 201: AddedCategory, ...refusals },
      },
    },
    async (request, reply) => {
      const projectId = projectOf(request);
      const { category, created } = await pullPublishers.addCategory(
        projectId,
        request.params.name,
        request.body,
      );
      reply.code(created ? 201 : 200);
      return { ...toCategoryBody({ projectId }, category), created };
    },
  );

  app.get(
    categories,
    {
      config: { operation: "publishers.read" },
      schema: {
        summary: "Lists the categories of a publisher",
        tags,
        params,
        response: {
          200: Type.Object({
            categories: Type.Array(CategoryBody, {
              description: "All, in the order in which they were added",
            }),
          }),
          ...refusals,
        },
      },
    },
    async (request) => {
      const projectId = projectOf(request);
      const found = await pullPublishers.listCategories(
        projectId,
        request.params.name,
      );
      return {
        categories: found.map((one) => toCategoryBody({ projectId }, one)),
      };
    },
  );

  app.delete(
    categories,
    {
      config: { operation: "publishers.write" },
      schema: {
        summary: "Takes a category from a publisher",
        description: "Its topic and the subscriptions to it stay.",
        tags,
        params,
        querystring: Type.Object({ reference }),
        response: { 204: Type.Null(), ...refusals },
      },
    },
    async (request, reply) => {
      await pullPublishers.removeCategory(
        projectOf(request),
        request.params.name,
        request.query.reference,
      );
      return reply.code(204).send(null);
    },
  );
}
