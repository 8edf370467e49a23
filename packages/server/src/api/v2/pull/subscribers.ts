/** Subscriber accounts: mailboxes, their credentials, and what they follow. */

import {
  legacyConfirmModes,
  type Mailbox,
  type MailboxCounts,
  mailboxNameForm,
  maxMailboxQuota,
} from "@carillon/core";
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
  categoryReferences,
  disabled,
  nameParams,
  next,
  pageOf,
  secret,
} from "./account-schemas.ts";
import type { PullPorts } from "./ports.ts";
import { tags } from "./schemas.ts";

const invalid = failsWith("SUBSCRIBER_INVALID");

const quota = Type.Integer({
  description: `Messages that its mailbox holds unconfirmed, 1 to ${maxMailboxQuota}; what comes beyond fails`,
  ...invalid,
});

const legacyConfirm = Type.Enum([...legacyConfirmModes], {
  description:
    "Whether a GET of the Notipy protocol may be a confirmation: `on`, `off`, or `auto`: where its client is Python's and the subscriber has never confirmed by id",
  ...invalid,
});

const SubscriberBody = Type.Object(
  {
    id: Type.String({ description: "The user name of its credentials" }),
    name: Type.String({
      description: "Of its mailbox: the endpoint of its pull subscriptions",
    }),
    hasSecret: Type.Boolean({
      description:
        "False: made by a subscription, and reached by the project's credentials only",
    }),
    quota,
    legacyConfirm,
    disabled: Type.Boolean({
      description:
        "True: nothing is put into its mailbox, and its own credentials are refused",
    }),
    confirmsById: Type.Boolean({
      description:
        "True: it has confirmed by id, so that its GET of the Notipy protocol is a poll unless `legacyConfirm` is `on`",
    }),
    depth: Type.Integer({ description: "Messages that wait or are leased" }),
    createdAt: instant("When it was created"),
  },
  { title: "Subscriber" },
);

const SubscriberWithSecret = Type.Object(
  { ...SubscriberBody.properties, secret },
  { title: "SubscriberWithSecret" },
);

const SubscriberWithCounts = Type.Object(
  {
    ...SubscriberBody.properties,
    counts: Type.Object(
      {
        waiting: Type.Integer({ description: "To be fetched, now or later" }),
        leased: Type.Integer({ description: "Fetched and not confirmed" }),
        dead: Type.Integer({ description: "On the dead-letter list" }),
      },
      { description: "Messages of its mailbox" },
    ),
  },
  { title: "SubscriberWithCounts" },
);

const NewSubscriber = Type.Object(
  {
    name: Type.String({ description: mailboxNameForm, ...invalid }),
    quota: Type.Optional(quota),
    legacyConfirm: Type.Optional(legacyConfirm),
  },
  { title: "NewSubscriber" },
);

const SubscriberChange = Type.Object(
  {
    quota: Type.Optional(quota),
    legacyConfirm: Type.Optional(legacyConfirm),
    disabled: Type.Optional(disabled),
  },
  { title: "SubscriberChange" },
);

const publisher = Type.String({
  description: "Name of a publisher of the project",
});

const FollowedBody = Type.Object(
  {
    publisher,
    categories: Type.Array(Type.String(), {
      description:
        "References; empty: it gets only what goes to all subscribers",
    }),
  },
  { title: "Followed" },
);

const FollowedList = Type.Object(
  {
    following: Type.Array(FollowedBody, { description: "By publisher" }),
  },
  { title: "FollowedList" },
);

const params = nameParams("subscriber");

export function subscriberRoutes(
  app: HttpApp,
  { pullSubscribers }: Pick<PullPorts, "pullSubscribers">,
): void {
  app.post(
    "/subscribers",
    {
      config: { operation: "subscribers.write" },
      schema: {
        summary: "Creates a pull subscriber, with credentials",
        description:
          "The secret is shown once. With it programs fetch by `GET /api/v1/notification`, as Notipy's clients do, and by the routes below `/api/v2/subscriptions/{name}`. A name that is taken is refused by 409 `SUBSCRIBER_EXISTS`; a mailbox that a subscription made gets credentials by `POST /api/v2/subscribers/{name}/secret`.",
        tags,
        body: NewSubscriber,
        response: { 201: SubscriberWithSecret, ...refusals },
      },
    },
    async (request, reply) => {
      const created = await pullSubscribers.create(
        projectOf(request),
        request.body,
      );
      return reply
        .code(201)
        .send({ ...toBody(created.account), secret: created.secret });
    },
  );

  app.get(
    "/subscribers",
    {
      config: { operation: "subscribers.read" },
      schema: {
        summary: "Lists pull subscribers",
        tags,
        querystring: accountListQuery,
        response: {
          200: Type.Object({
            subscribers: Type.Array(SubscriberBody, {
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
      const found = await pullSubscribers.list(projectOf(request), {
        limit: limit + 1,
        ...(after !== undefined && { after }),
      });
      const { page, ...rest } = pageOf(found, limit);
      return { subscribers: page.map(toBody), ...rest };
    },
  );

  app.get(
    "/subscribers/:name",
    {
      config: { operation: "subscribers.read" },
      schema: {
        summary: "Shows a pull subscriber, and how much waits for it",
        tags,
        params,
        response: { 200: SubscriberWithCounts, ...refusals },
      },
    },
    async (request) => {
      const mailbox = await pullSubscribers.get(
        projectOf(request),
        request.params.name,
      );
      const counts: MailboxCounts = await pullSubscribers.counts(mailbox);
      return { ...toBody(mailbox), counts: { ...counts } };
    },
  );

  app.patch(
    "/subscribers/:name",
    {
      config: { operation: "subscribers.write" },
      schema: {
        summary: "Changes a pull subscriber; what is absent stays",
        tags,
        params,
        body: SubscriberChange,
        response: { 200: SubscriberBody, ...refusals },
      },
    },
    async (request) =>
      toBody(
        await pullSubscribers.change(
          projectOf(request),
          request.params.name,
          request.body,
        ),
      ),
  );

  app.post(
    "/subscribers/:name/secret",
    {
      config: { operation: "subscribers.write" },
      schema: {
        summary: "Gives a pull subscriber another secret, or a first one",
        description: "The one before stops working at once.",
        tags,
        params,
        response: { 200: SubscriberWithSecret, ...refusals },
      },
    },
    async (request) => {
      const rotated = await pullSubscribers.rotateSecret(
        projectOf(request),
        request.params.name,
      );
      return { ...toBody(rotated.account), secret: rotated.secret };
    },
  );

  app.delete(
    "/subscribers/:name",
    {
      config: { operation: "subscribers.write" },
      schema: {
        summary: "Deletes a pull subscriber with its mailbox",
        description:
          "Its subscriptions are deleted, and what waits in the mailbox is cancelled.",
        tags,
        params,
        response: { 204: Type.Null(), ...refusals },
      },
    },
    async (request, reply) => {
      await pullSubscribers.remove(projectOf(request), request.params.name);
      return reply.code(204).send(null);
    },
  );

  const following = "/subscribers/:name/following";

  app.get(
    following,
    {
      config: { operation: "subscribers.read" },
      schema: {
        summary: "Lists what a pull subscriber follows",
        tags,
        params,
        response: { 200: FollowedList, ...refusals },
      },
    },
    async (request) => toFollowedList(request, request.params.name),
  );

  app.post(
    following,
    {
      config: { operation: "subscribers.write" },
      schema: {
        summary: "Lets a pull subscriber follow a publisher's categories",
        description:
          "It gets what goes to all of the publisher's subscribers, and what goes to these categories; more of them can be added later. Answers all that it follows.",
        tags,
        params,
        body: Type.Object(
          {
            publisher,
            categories: Type.Optional(categoryReferences),
          },
          { title: "Following" },
        ),
        response: { 200: FollowedList, ...refusals },
      },
    },
    async (request) => {
      const { publisher, categories = [] } = request.body;
      const { name } = request.params;
      await pullSubscribers.follow(
        projectOf(request),
        name,
        publisher,
        categories,
      );
      return await toFollowedList(request, name);
    },
  );

  app.delete(
    following,
    {
      config: { operation: "subscribers.write" },
      schema: {
        summary: "Lets a pull subscriber leave a category, or a publisher",
        tags,
        params,
        querystring: Type.Object({
          publisher,
          category: Type.Optional(
            Type.String({
              description:
                "Reference of the category; absent: the publisher with all of them",
              ...failsWith("CATEGORY_INVALID"),
            }),
          ),
        }),
        response: { 200: FollowedList, ...refusals },
      },
    },
    async (request) => {
      const { publisher, category } = request.query;
      const { name } = request.params;
      await pullSubscribers.unfollow(
        projectOf(request),
        name,
        publisher,
        category === undefined ? undefined : [category],
      );
      return await toFollowedList(request, name);
    },
  );

  async function toFollowedList(
    request: Parameters<typeof projectOf>[0],
    name: string,
  ): Promise<Static<typeof FollowedList>> {
    const followed = await pullSubscribers.following(projectOf(request), name);
    return {
      following: followed.map(({ publisher, categories }) => ({
        publisher,
        categories: [...categories],
      })),
    };
  }
}

function toBody({
  id,
  name,
  secretHash,
  quota,
  legacyConfirm,
  disabled,
  confirmsById,
  depth,
  createdAt,
}: Mailbox): Static<typeof SubscriberBody> {
  return {
    id,
    name,
    hasSecret: secretHash !== undefined,
    quota,
    legacyConfirm,
    disabled: disabled === true,
    confirmsById: confirmsById === true,
    depth,
    createdAt: toMillisecondsText(createdAt),
  };
}
