/**
 * The bare pipeline, all in one process: Fastify accepts, the message is signed
 * as Carillon signs, undici POSTs. Nothing is kept. Options:
 * {@link EventsOptions}.
 */

import { programOptions } from "../program.ts";
import { type EventsOptions, endpointOf, serveEvents } from "./events.ts";
import { NotificationWriter } from "./notification.ts";
import { Lane, post } from "./poster.ts";

const { sinkPort, signature } = programOptions<EventsOptions>();
const writer = new NotificationWriter(signature);
const lane = new Lane();

await serveEvents((topicUrn, publish) => {
  lane.run(async () => {
    const message = await writer.write(topicUrn, publish);
    await post({ ...endpointOf(topicUrn, sinkPort), ...message });
  });
});
