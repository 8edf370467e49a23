/** Topics as people name them. */

import type { Smn, Topic } from "@carillon/client";
import { CommandFailure } from "./command-failure.ts";

/**
 * The topic given by name or URN.
 *
 * @throws CommandFailure when the project has no topic of that name
 */
export async function findTopic(smn: Smn, topic: string): Promise<Topic> {
  const found = await smn.findTopic(topic, { ignoreMissing: true });
  if (found) return found;
  throw new CommandFailure(
    `There is no topic "${topic}": carillon topic list shows those there are.`,
  );
}

/**
 * The URN of a topic given by name or URN; a URN is taken as it is.
 *
 * @throws CommandFailure when the project has no topic of that name
 */
export async function topicUrnOf(smn: Smn, topic: string): Promise<string> {
  if (topic.startsWith("urn:")) return topic;
  return (await findTopic(smn, topic)).topicUrn;
}

/** The name in a topic's URN. */
export function topicNameOf(urn: string): string {
  return urn.split(":")[4] ?? urn;
}
