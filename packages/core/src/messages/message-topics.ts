/** Messages to several topics, and how each topic's subscribers see them. */

import { CarillonError } from "../errors.ts";
import type { Message, MessageTopic } from "./message.ts";

/** Topics of one message to several, where its publisher names them. */
export const minTopics = 2;
export const maxTopics = 10;

/**
 * The place of a range that a delivery was handed over to, in every store: behind
 * all topics, so that no turn follows it.
 */
export const handedOverPosition = 999;

/**
 * Checks that several topics were named, none of them twice.
 *
 * @throws CarillonError TOPICS_INVALID
 */
export function checkTopicUrns(
  urns: readonly string[],
  max = maxTopics,
): readonly string[] {
  if (urns.length < minTopics || urns.length > max) {
    throw new CarillonError(
      "TOPICS_INVALID",
      `Invalid topics: ${minTopics} to ${max} are expected, ${urns.length} ${urns.length === 1 ? "was" : "were"} given.`,
    );
  }
  const twice = urns.find((urn, n) => urns.indexOf(urn) < n);
  if (twice === undefined) return urns;
  throw new CarillonError(
    "TOPICS_INVALID",
    `Invalid topics: ${twice} is named twice; name each once, by its name or its URN.`,
  );
}

/** The topics that a message was published to, in order; of a direct one none. */
export function topicsOf({
  topic,
  topics,
}: Pick<Message, "topic" | "topics">): readonly MessageTopic[] {
  return topics ?? (topic ? [topic] : []);
}

/**
 * The message as the subscribers of one of its topics get it, with that topic
 * for `topic`. One that has a single topic, or none, is answered as it is.
 */
export function toTopic<Kept extends Pick<Message, "topic" | "topics">>(
  message: Kept,
  topicSeq: number | undefined,
): Kept {
  const topic = message.topics?.find(({ seq }) => seq === topicSeq);
  return topic === undefined ? message : { ...message, topic };
}
