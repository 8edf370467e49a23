/** A topic's attributes: its access policy and its introduction. */

import type { Api } from "../api.ts";
import { findText, isObject, type JsonObject } from "../json.ts";
import type { RequestOptions } from "../transport.ts";
import { type DeleteOptions, deleted } from "./missing.ts";
import { type TopicReference, toTopicUrn } from "./references.ts";
import { topicsPath } from "./topics.ts";

/** Names of attributes that can be set and reset. */
export type TopicAttributeName = "access_policy" | "introduction";

/** Values by name, as SMN names them; one that is not set is empty. */
export interface TopicAttributes {
  /** JSON, exactly as it was set. */
  readonly access_policy?: string;
  /** Text in front of confirmation messages. */
  readonly introduction?: string;
  /** Services may have more. */
  readonly [name: string]: string | undefined;
}

/** Which attributes are read; all by default. */
export interface TopicAttributesQuery {
  /** Only this one. */
  readonly name?: TopicAttributeName | undefined;
}

/** The new value of a topic's attribute. */
export interface TopicAttributeChange {
  /** Default `access_policy`. */
  readonly name?: TopicAttributeName | undefined;
  /** Stored byte for byte. */
  readonly value: string;
}

/** Reads, sets and resets attributes of topics. */
export interface TopicAttributeOperations {
  topicAttributes(
    topic: TopicReference,
    query?: TopicAttributesQuery,
    options?: RequestOptions,
  ): Promise<TopicAttributes>;
  updateTopicAttribute(
    topic: TopicReference,
    change: TopicAttributeChange,
    options?: RequestOptions,
  ): Promise<void>;
  /** Resets one attribute, or all of them without a name; twice is fine. */
  deleteTopicAttribute(
    topic: TopicReference,
    name?: TopicAttributeName,
    options?: DeleteOptions,
  ): Promise<void>;
}

export function createTopicAttributeOperations(
  api: Api,
): TopicAttributeOperations {
  return {
    async topicAttributes(topic, { name } = {}, options) {
      const path = attributesPath(topic);
      const query = { name };
      const { body } = await api({ method: "GET", path, query }, options);
      return toTopicAttributes(body);
    },

    async updateTopicAttribute(topic, change, options) {
      const { name = "access_policy", value } = change;
      const path = [...attributesPath(topic), name];
      await api({ method: "PUT", path, body: { value } }, options);
    },

    async deleteTopicAttribute(topic, name, options = {}) {
      const path = attributesPath(topic);
      if (name !== undefined) path.push(name);
      await deleted(api({ method: "DELETE", path }, options), options);
    },
  };
}

function attributesPath(topic: TopicReference): string[] {
  return [...topicsPath, toTopicUrn(topic), "attributes"];
}

function toTopicAttributes(body: JsonObject): TopicAttributes {
  const attributes = isObject(body.attributes) ? body.attributes : {};
  return Object.fromEntries(
    Object.keys(attributes).map((name) => [
      name,
      findText(attributes, name) ?? "",
    ]),
  );
}
