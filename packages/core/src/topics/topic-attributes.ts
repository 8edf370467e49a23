/** The attributes a topic has besides its name: set, read and reset by name. */

import { parseAccessPolicy } from "../access/access-policy.ts";
import { CarillonError } from "../errors.ts";
import { checkStorable, fitsUtf8 } from "../text.ts";
import type { Topic } from "./topic.ts";

/** By their names on the wire. */
export const topicAttributeNames = ["access_policy", "introduction"] as const;

export type TopicAttributeName = (typeof topicAttributeNames)[number];

/** Empty when not set. */
export type TopicAttributes = Readonly<Record<TopicAttributeName, string>>;

/** 120 bytes of UTF-8 (SMN limits). */
export const maxIntroductionBytes = 120;

/**
 * Checks the name of a topic's attribute.
 *
 * @throws CarillonError TOPIC_ATTRIBUTE_INVALID
 */
export function checkAttributeName(name: string): TopicAttributeName {
  if (name === "access_policy" || name === "introduction") return name;
  throw new CarillonError(
    "TOPIC_ATTRIBUTE_INVALID",
    `Invalid topic attribute: use one of ${topicAttributeNames.join(", ")}.`,
  );
}

/**
 * Checks a value and answers it as it is, for it is given back byte for byte.
 *
 * @throws CarillonError TOPIC_ATTRIBUTE_INVALID, TOPIC_ATTRIBUTE_TOO_LONG, and
 * those of `parseAccessPolicy`
 */
export function checkAttributeValue(
  name: TopicAttributeName,
  value: unknown,
): string {
  switch (name) {
    case "access_policy":
      parseAccessPolicy(value);
      // What it parsed is a text.
      return value as string;
    case "introduction":
      return checkIntroduction(value);
    default:
      return name satisfies never;
  }
}

/** A topic's attributes under the names that SMN gives them. */
export function attributesOf(topic: Topic): TopicAttributes {
  return {
    access_policy: topic.accessPolicy,
    introduction: topic.introduction,
  };
}

function checkIntroduction(value: unknown): string {
  if (typeof value !== "string" || !value.isWellFormed()) {
    throw new CarillonError(
      "TOPIC_ATTRIBUTE_INVALID",
      "Invalid introduction: a text is expected.",
    );
  }
  checkStorable(value, "TOPIC_ATTRIBUTE_INVALID", "introduction");
  if (fitsUtf8(value, maxIntroductionBytes)) return value;
  throw new CarillonError(
    "TOPIC_ATTRIBUTE_TOO_LONG",
    `Introduction too long: at most ${maxIntroductionBytes} bytes.`,
  );
}
