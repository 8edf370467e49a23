/** Messages of a mailbox as server-sent events. */

import { PassThrough } from "node:stream";
import type { Mailboxes, MailboxStream, StreamEnd } from "@carillon/core";
import type { FastifyRequest } from "fastify";
import { Type } from "../../../json-schema.ts";
import type { HttpApp } from "../../http-app.ts";
import { refusals } from "../error-answers.ts";
import { mailboxOf, mailboxParams } from "./mailbox-access.ts";
import type { PullPorts } from "./ports.ts";
import { readStreamOptions, streamQuery } from "./receive-options.ts";
import { tags, toPulledMessageBody } from "./schemas.ts";

/** What is kept of a stream while its client does not read, in bytes. */
const maxBufferedBytes = 16 * 1024;

export function mailboxStreamRoutes(
  app: HttpApp,
  { mailboxes, pullSubscribers }: PullPorts,
): void {
  app.get(
    "/subscriptions/:mailbox/stream",
    {
      config: { operation: "pull.receive", account: "subscriber" },
      // A HEAD would lease what its answer does not carry.
      exposeHeadRoute: false,
      schema: {
        summary: "Streams messages as they come, resumable by `Last-Event-ID`",
        description:
          "Server-sent events: each `message` has an id that grows, and the data that a fetched message has; they are confirmed by `messages:ack`. At most `credit` are out at once. The first block has an id and no event, so that also what is cut off before the first event is resumed. A comment comes every 15 seconds. A stream that is asked for with the id of the last event gets at once, in order, what the one before had sent behind it. Before the server ends it, an event `end` says why: `renew` (after 10 minutes: ask again at once), `stopping` (the server stops: ask again later), `resumed_elsewhere`, `mailbox_gone`. A client that reads nothing for 30 seconds is cut off without an event, as it would not read that either.",
        tags,
        params: mailboxParams,
        querystring: streamQuery,
        response: {
          200: Type.String({ description: "text/event-stream" }),
          ...refusals,
        },
      },
    },
    async (request, reply) => {
      const options = readStreamOptions(
        request.query,
        request.headers["last-event-id"],
      );
      const { mailbox: reference } = request.params;
      const mailbox = await mailboxOf(request, reference, pullSubscribers);
      const output = await openOutput(request, (to) =>
        mailboxes.stream(mailbox, options, to),
      );
      return (
        reply
          .header("content-type", "text/event-stream; charset=utf-8")
          .header("x-accel-buffering", "no")
          // A stream of what the schema calls a text.
          .send(output as unknown as string)
      );
    },
  );
}

/** Writes events until the stream or its client ends. */
async function openOutput(
  { raw }: FastifyRequest,
  open: (output: Parameters<Mailboxes["stream"]>[2]) => Promise<MailboxStream>,
): Promise<PassThrough> {
  const output = new PassThrough({ writableHighWaterMark: maxBufferedBytes });
  const stream = await open({
    begin: (startId) => void output.write(`retry: 1000\nid: ${startId}\n\n`),
    deliver: (message, eventId) =>
      output.write(
        `id: ${eventId}\nevent: message\ndata: ${JSON.stringify(toPulledMessageBody(message))}\n\n`,
      ),
    beat: () => void output.write(":\n\n"),
    end(reason: StreamEnd) {
      if (reason === "blocked") raw.socket.destroy();
      else output.end(`event: end\ndata: ${JSON.stringify({ reason })}\n\n`);
    },
  });
  output.on("drain", () => stream.drained());
  output.on("close", () => stream.close());
  return output;
}
