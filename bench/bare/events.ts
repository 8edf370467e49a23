/**
 * The parts that the two rivals of the events row share: a bare Fastify with
 * Carillon's route for publishing.
 */

import type { AddressInfo } from "node:net";
import fastify from "fastify";
import { receiverAddress } from "../addresses.ts";
import { type Publish, topicsPath } from "../carillon.ts";
import { serveQuestions } from "../program.ts";
import { type BareSignature, newId } from "./notification.ts";

export interface EventsOptions {
  readonly sinkPort: number;
  /** Where `queue` keeps its jobs. */
  readonly redisPort?: number;
  /** Default `rsa`. */
  readonly signature?: BareSignature;
}

/**
 * Answers publishes once `accept` has resolved.
 *
 * @param accept takes what was published on a topic
 */
export async function serveEvents(
  accept: (topicUrn: string, publish: Publish) => Promise<void> | void,
): Promise<void> {
  const app = fastify();
  app.post<{ Params: { urn: string }; Body: Publish }>(
    `${topicsPath}/:urn/publish`,
    async (request) => {
      await accept(request.params.urn, request.body);
      return { request_id: newId(), message_id: newId() };
    },
  );
  await app.listen({ port: 0, host: "127.0.0.1" });
  serveQuestions((app.server.address() as AddressInfo).port, () => ({}));
}

/** A topic ends in the number of its one subscriber. */
export function endpointOf(topicUrn: string, sinkPort: number) {
  const number = Number(topicUrn.slice(topicUrn.lastIndexOf("-") + 1));
  return {
    origin: `http://${receiverAddress(number)}:${sinkPort}`,
    path: `/hook/${number}`,
  };
}
