/** Which mailbox or publisher a request is about, and whether it may reach it. */

import {
  CarillonError,
  type MailboxAccount,
  type PullPublisher,
  type PullPublishers,
  type PullSubscribers,
} from "@carillon/core";
import type { FastifyRequest } from "fastify";
import { RequestError } from "../../../errors.ts";
import { Type } from "../../../json-schema.ts";
import { projectOf } from "../../authentication.ts";

/** Of routes below `/subscriptions/{mailbox}`. */
export const mailboxParams = Type.Object({
  mailbox: Type.String({
    description:
      "Whose messages: the name of a mailbox, or the URN or id of a subscription that fills it",
  }),
});

/**
 * The mailbox, of the caller's project. Credentials of a subscriber reach its own
 * alone; of another one they do not learn whether it exists.
 *
 * @throws CarillonError SUBSCRIBER_NOT_FOUND, SUBSCRIPTION_NOT_FOUND;
 * RequestError PERMISSION_DENIED
 */
export async function mailboxOf(
  request: FastifyRequest,
  reference: string,
  subscribers: Pick<PullSubscribers, "find">,
): Promise<MailboxAccount> {
  const { account } = request;
  if (account === undefined) {
    return await subscribers.find(projectOf(request), reference);
  }
  if (account.kind === "subscriber") {
    const { mailbox } = account;
    if (reference === mailbox.name || reference === mailbox.id) return mailbox;
    const found = await subscribers
      .find(mailbox.projectId, reference)
      .catch(undefinedIfAbsent);
    if (found?.seq === mailbox.seq) return mailbox;
  }
  throw reachesOnly(account.kind);
}

/**
 * The publisher of that name, of the caller's project. Credentials of a publisher
 * reach itself alone, and need not name it.
 *
 * @throws CarillonError PUBLISHER_NOT_FOUND; RequestError PERMISSION_DENIED,
 * REQUEST_INVALID
 */
export async function publisherOf(
  request: FastifyRequest,
  name: string | undefined,
  publishers: Pick<PullPublishers, "get">,
): Promise<PullPublisher> {
  const { account } = request;
  if (account === undefined) {
    const projectId = projectOf(request);
    if (name !== undefined) return await publishers.get(projectId, name);
    throw new RequestError(
      "REQUEST_INVALID",
      "publisher is missing: the name of the one whose categories these are.",
    );
  }
  if (account.kind === "publisher") {
    const { publisher } = account;
    // Whoever has credentials only knows no name.
    if (
      name === undefined ||
      name === publisher.name ||
      name === publisher.id
    ) {
      return publisher;
    }
  }
  throw reachesOnly(account.kind);
}

function reachesOnly(kind: "publisher" | "subscriber"): RequestError {
  return new RequestError(
    "PERMISSION_DENIED",
    kind === "publisher"
      ? "These credentials are those of one publisher: they publish its messages, and reach nothing else."
      : "These credentials are those of one subscriber: they fetch its messages, and reach nothing else.",
  );
}

function undefinedIfAbsent(error: unknown): undefined {
  if (
    error instanceof CarillonError &&
    (error.code === "SUBSCRIBER_NOT_FOUND" ||
      error.code === "SUBSCRIPTION_NOT_FOUND")
  ) {
    return undefined;
  }
  throw error;
}
