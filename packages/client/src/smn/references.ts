/** How callers say which resource they mean: by URN or id, or by having it. */

import { InvalidOptionsError } from "../errors.ts";

/** A topic's URN, or anything that has it. */
export type TopicReference = string | { readonly topicUrn: string };

/** A subscription's URN, or anything that has it. */
export type SubscriptionReference =
  | string
  | { readonly subscriptionUrn: string };

/** A template's id, or anything that has it. */
export type TemplateReference = string | { readonly messageTemplateId: string };

export function toTopicUrn(topic: TopicReference): string {
  return checked(typeof topic === "string" ? topic : topic.topicUrn, "topic");
}

export function toSubscriptionUrn(subscription: SubscriptionReference): string {
  return checked(
    typeof subscription === "string"
      ? subscription
      : subscription.subscriptionUrn,
    "subscription",
  );
}

export function toTemplateId(template: TemplateReference): string {
  return checked(
    typeof template === "string" ? template : template.messageTemplateId,
    "template",
  );
}

export function isUrn(text: string): boolean {
  return /^urn:/i.test(text);
}

/** SMN's ids are 32 hexadecimal digits. */
export function isId(text: string): boolean {
  return /^[0-9a-f]{32}$/i.test(text);
}

/** Nothing, as a part of a path, would mean all. */
function checked(reference: unknown, what: string): string {
  if (typeof reference === "string" && reference !== "") return reference;
  throw new InvalidOptionsError(
    `Expected a ${what}, or its URN or id; got ${reference === "" ? "an empty text" : typeof reference}.`,
  );
}
