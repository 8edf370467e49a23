/**
 * The one path of the Notipy protocol. A POST publishes, a GET polls and may
 * confirm (`legacy-receive.ts` in core), a PUT confirms by id. Credentials that
 * are wrong, missing or of the other kind are answered 404, all alike.
 */

import {
  allCategories,
  maxMessageBytes,
  type PulledMessage,
} from "@carillon/core";
import type { FastifyReply, FastifyRequest } from "fastify";
import { RequestError } from "../../errors.ts";
import { Type } from "../../json-schema.ts";
import {
  findPullAccount,
  type PullAccountKind,
} from "../../pull/account-credentials.ts";
import { type HttpApp, jsonContentType } from "../http-app.ts";
import { listBodyBytes, messageBodyBytes } from "../json-body.ts";
import { toSecondsText } from "../timestamps.ts";
import { toCountsBody } from "../v2/pull/publication.ts";
import { failsWith } from "../validation.ts";
import { toPullErrorBody } from "./error-answers.ts";
import type { PullApiPorts } from "./pull-api.ts";

const path = "/notification";

/** Ids in one confirmation. */
const maxConfirmedIds = 1000;

const NewNotification = Type.Object({
  message: Type.String({
    maxLength: maxMessageBytes,
    ...failsWith("MESSAGE_INVALID"),
  }),
  category: Type.Optional(
    Type.Union([Type.String(), Type.Array(Type.String()), Type.Null()], {
      ...failsWith("CATEGORY_INVALID"),
    }),
  ),
});

const Confirmation = Type.Object({
  // Ids of any form: what is none of ours is passed over.
  messages: Type.Array(Type.Unknown(), { maxItems: maxConfirmedIds }),
  success: Type.Optional(Type.Boolean()),
});

export function notificationRoutes(app: HttpApp, ports: PullApiPorts): void {
  const { mailboxes, pullPublishers } = ports;

  /** An `onRequest` hook: before anything of the body is read. */
  const authenticate =
    (kind: PullAccountKind) => async (request: FastifyRequest) => {
      const { authorization } = request.headers;
      request.account = await findPullAccount(kind, authorization, ports);
      if (request.account) return;
      throw new RequestError(
        "AUTHENTICATION_FAILED",
        `There is no ${kind} with these credentials: send its id and secret as Basic credentials.`,
      );
    };

  app.post(
    path,
    {
      config: { isFrequent: true },
      onRequest: authenticate("publisher"),
      bodyLimit: messageBodyBytes,
      schema: { body: NewNotification },
    },
    async (request) => {
      const { message, category } = request.body;
      const { counts } = await pullPublishers.publish(
        publisherOf(request),
        [category ?? allCategories].flat(),
        { text: message },
      );
      return toCountsBody(counts);
    },
  );

  app.get(
    path,
    // A HEAD would lease what its answer does not carry.
    { exposeHeadRoute: false, onRequest: authenticate("subscriber") },
    async (request) => {
      const { "user-agent": agent = "" } = request.headers;
      const received = await mailboxes.receiveLegacy(mailboxOf(request), {
        isPython: agent.startsWith("python-requests/"),
      });
      return received.map(toNotification);
    },
  );

  app.put(
    path,
    {
      config: { isFrequent: true },
      onRequest: authenticate("subscriber"),
      bodyLimit: listBodyBytes,
      schema: { body: Confirmation },
    },
    async (request) => {
      const { messages, success = true } = request.body;
      const ids = new Set(messages.flatMap(toMessageSeqs));
      const settled = await mailboxes.confirm(
        mailboxOf(request),
        [...ids],
        success,
      );
      return success
        ? { confirmed: settled }
        : { confirmed: 0, returned: settled };
    },
  );

  app.route({
    method: ["DELETE", "HEAD", "PATCH"],
    url: path,
    handler: async (request, reply: FastifyReply) =>
      reply
        .code(405)
        .header("allow", "GET, POST, PUT")
        .header("content-type", jsonContentType)
        .send(
          toPullErrorBody(
            `${request.method} does nothing here: POST publishes, GET receives, PUT confirms.`,
          ),
        ),
  });
}

function publisherOf({ account }: FastifyRequest) {
  if (account?.kind === "publisher") return account.publisher;
  throw new Error("This route was not authenticated as a publisher's.");
}

function mailboxOf({ account }: FastifyRequest) {
  if (account?.kind === "subscriber") return account.mailbox;
  throw new Error("This route was not authenticated as a subscriber's.");
}

/** `created` has neither fraction nor zone: a client parses just that. */
function toNotification({ messageSeq, body, createdAt }: PulledMessage) {
  return {
    id: messageSeq,
    body,
    created: toSecondsText(createdAt).slice(0, -1),
  };
}

/** The number of a message from its id, which may be a text; else none. */
function toMessageSeqs(id: unknown): readonly number[] {
  const seq =
    typeof id === "string" && /^[1-9][0-9]{0,15}$/.test(id) ? Number(id) : id;
  return typeof seq === "number" && Number.isSafeInteger(seq) && seq > 0
    ? [seq]
    : [];
}
