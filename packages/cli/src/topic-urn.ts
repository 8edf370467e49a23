/** Topics as people name them. */

import type { Smn } from "@carillon/client";
import { CommandFailure } from "./command-failure.ts";

/**
 * The URN of a topic given by name or URN.
 *
 * @throws CommandFailure when the project has no topic of that name
 */
export async function topicUrnOf(smn: Smn, topic: string): Promise<string> {
  if (topic.startsWith("urn:")) return topic;
  const found = await smn.findTopic(topic, { ignoreMissing: true });
  if (found) return found.topicUrn;
  throw new CommandFailure(
    `There is no topic "${topic}": create it with carillon topic create ${topic}.`,
  );
}
