/**
 * The rival of fetching: a bare Fastify with the same routes and bodies, an emitter
 * that wakes those that wait, and nothing kept.
 */

import { EventEmitter, once } from "node:events";
import type { AddressInfo } from "node:net";
import fastify from "fastify";
import { alert, publishPath, topicUrn } from "../carillon.ts";
import { serveQuestions } from "../program.ts";
import { messagesPath } from "../pull-paths.ts";
import { newId } from "./notification.ts";

const app = fastify();
const published = new EventEmitter();
published.setMaxListeners(0);
let messages = 0;

/** As long as Carillon's. */
function messageOf(id: string) {
  const now = new Date();
  return {
    id,
    leaseId: `${(++messages).toString(36)}.2s.1`,
    leaseUntil: new Date(now.getTime() + 60_000).toISOString(),
    deliveryCount: 1,
    subject: alert.subject,
    body: alert.message,
    topicUrn: topicUrn("boxes"),
    categories: ["boxes"],
    createdAt: now.toISOString(),
  };
}

app.get<{ Querystring: { wait?: string } }>(
  messagesPath(":box"),
  async (request) => {
    if (request.query.wait === undefined) return [messageOf(newId())];
    const [id] = await once(published, "message");
    return [messageOf(id)];
  },
);

app.post<{ Body: { leaseIds: string[] } }>(
  `${messagesPath(":box")}::ack`,
  async (request) => ({ acked: request.body.leaseIds, stale: [] }),
);

app.post(publishPath("boxes"), async (_request, reply) => {
  const id = newId();
  published.emit("message", id);
  return reply.status(201).send({ request_id: newId(), message_id: id });
});

await app.listen({ port: 0, host: "127.0.0.1" });
serveQuestions((app.server.address() as AddressInfo).port, () => ({}));
