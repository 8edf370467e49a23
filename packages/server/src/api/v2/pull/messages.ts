/** Fetching messages by request: long polls, and what is done with leases. */

import { pullLimits } from "@carillon/core";
import type { FastifyReply } from "fastify";
import { Type } from "../../../json-schema.ts";
import type { HttpApp } from "../../http-app.ts";
import { refusals } from "../error-answers.ts";
import {
  Acked,
  AckRequest,
  ack,
  Extended,
  ExtendRequest,
  extend,
  Nacked,
  NackRequest,
  nack,
} from "./lease-requests.ts";
import { mailboxOf, mailboxParams } from "./mailbox-access.ts";
import type { PullPorts } from "./ports.ts";
import { readReceiveOptions, receiveQuery } from "./receive-options.ts";
import { PulledMessageBody, tags, toPulledMessageBody } from "./schemas.ts";

const path = "/subscriptions/:mailbox/messages";

export function pullMessageRoutes(
  app: HttpApp,
  { mailboxes, pullSubscribers }: PullPorts,
): void {
  const config = {
    operation: "pull.receive",
    account: "subscriber",
    isFrequent: true,
  } as const;

  app.get(
    path,
    {
      config,
      // A HEAD would lease what its answer does not carry.
      exposeHeadRoute: false,
      schema: {
        summary: "Fetches messages, and waits for them if there are none",
        description:
          "Answers at once what waits; else when something comes, or `[]` when the time is over. What is answered is leased: others do not get it, until it is confirmed (`messages:ack`), given back (`messages:nack`), or its lease ends. The server's own limits do not cut a wait short; a proxy in between needs a longer timeout than `wait`.",
        tags,
        params: mailboxParams,
        querystring: receiveQuery,
        response: {
          200: Type.Array(PulledMessageBody, {
            description: `Oldest first, ${pullLimits.max} at most; empty when there is none`,
          }),
          ...refusals,
        },
      },
    },
    async (request, reply) => {
      const options = readReceiveOptions(request.query);
      const { mailbox: reference } = request.params;
      const mailbox = await mailboxOf(request, reference, pullSubscribers);
      const received = await mailboxes.receive(
        mailbox,
        // What nobody waits for is answered too soon to be worth a signal.
        options.waitMs === 0
          ? options
          : { ...options, signal: closeSignalOf(reply) },
      );
      return received.map(toPulledMessageBody);
    },
  );

  app.post(
    `${path}::ack`,
    {
      config,
      schema: {
        summary: "Confirms messages: they are delivered",
        description:
          "A lease that has ended, or is not of this mailbox, is answered in `stale` and changes nothing. The same request twice is harmless: what was confirmed under its lease is answered in `acked` again, and counts once.",
        tags,
        params: mailboxParams,
        body: AckRequest,
        response: { 200: Acked, ...refusals },
      },
    },
    async (request) =>
      await ack(
        mailboxes,
        await mailboxOf(request, request.params.mailbox, pullSubscribers),
        request.body,
      ),
  );

  app.post(
    `${path}::nack`,
    {
      config,
      schema: {
        summary: "Gives messages back: they come again",
        description:
          "At once, or after `delayMs`. What was handed out as often as `pull.maxDeliveries` allows goes to the dead-letter list.",
        tags,
        params: mailboxParams,
        body: NackRequest,
        response: { 200: Nacked, ...refusals },
      },
    },
    async (request) =>
      await nack(
        mailboxes,
        await mailboxOf(request, request.params.mailbox, pullSubscribers),
        request.body,
      ),
  );

  app.post(
    `${path}::extend`,
    {
      config,
      schema: {
        summary: "Keeps messages hidden from others for longer",
        tags,
        params: mailboxParams,
        body: ExtendRequest,
        response: { 200: Extended, ...refusals },
      },
    },
    async (request) =>
      await extend(
        mailboxes,
        await mailboxOf(request, request.params.mailbox, pullSubscribers),
        request.body,
      ),
  );
}

/** Aborted when the connection is gone before the answer. */
function closeSignalOf({ raw }: FastifyReply): AbortSignal {
  const closing = new AbortController();
  if (raw.destroyed) closing.abort();
  else raw.once("close", () => closing.abort());
  return closing.signal;
}
