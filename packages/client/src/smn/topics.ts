/** Topics: made, looked up, listed, renamed and removed. */

import type { Api } from "../api.ts";
import {
  findNumber,
  findText,
  type JsonObject,
  readObjects,
  readText,
} from "../json.ts";
import { type PagingOptions, paginate } from "../paging.ts";
import type { RequestOptions } from "../transport.ts";
import {
  type DeleteOptions,
  deleted,
  type FindOptions,
  foundOrNot,
  notFound,
} from "./missing.ts";
import { isId, isUrn, type TopicReference, toTopicUrn } from "./references.ts";

/** A topic as lists have it. */
export interface Topic {
  readonly topicUrn: string;
  readonly name: string;
  /** Sender's name in e-mails; empty when there is none. */
  readonly displayName: string;
  /** 0 keeps failed messages for a retry, 1 drops them. */
  readonly pushPolicy: number;
  readonly enterpriseProjectId: string | undefined;
  readonly topicId: string | undefined;
  /** UTC, `YYYY-MM-DDTHH:MM:SSZ`. */
  readonly createTime: string | undefined;
  /** UTC, `YYYY-MM-DDTHH:MM:SSZ`. */
  readonly updateTime: string | undefined;
}

/** What a new topic needs. */
export interface NewTopic {
  /** Letters, digits, `_` and `-`; starts with a letter or digit. */
  readonly name: string;
  readonly displayName?: string | undefined;
  readonly enterpriseProjectId?: string | undefined;
}

/** What is known of a topic right after it was made. */
export interface CreatedTopic {
  readonly topicUrn: string;
  readonly name: string;
  readonly requestId: string | undefined;
}

/** What of a topic is changed. */
export interface TopicChange {
  /** Empty clears it. */
  readonly displayName: string;
}

/** A topic after it was changed. */
export interface UpdatedTopic {
  readonly topicUrn: string;
  readonly displayName: string;
  readonly requestId: string | undefined;
}

/** Filters; a service ignores those it does not know. */
export interface TopicQuery extends PagingOptions {
  readonly topicId?: string | undefined;
  readonly name?: string | undefined;
  /** A part of the name. */
  readonly fuzzyName?: string | undefined;
  /** A part of the display name. */
  readonly fuzzyDisplayName?: string | undefined;
  readonly enterpriseProjectId?: string | undefined;
}

/** Creates, lists, finds, changes and deletes topics. */
export interface TopicOperations {
  /** Makes a topic, or answers the one that has the name. */
  createTopic(topic: NewTopic, options?: RequestOptions): Promise<CreatedTopic>;
  /** Deletes a topic with its subscriptions; twice is fine. */
  deleteTopic(topic: TopicReference, options?: DeleteOptions): Promise<void>;
  /** All topics, youngest first; pages are fetched as they are needed. */
  topics(
    query?: TopicQuery,
    options?: RequestOptions,
  ): AsyncGenerator<Topic, void, undefined>;
  /** @throws ResourceNotFoundError */
  getTopic(topic: TopicReference, options?: RequestOptions): Promise<Topic>;
  /**
   * Looks for a topic by URN, name or topic id.
   * @throws ResourceNotFoundError unless `ignoreMissing` is true
   */
  findTopic(
    nameOrUrn: string,
    options?: FindOptions & { readonly ignoreMissing?: false | undefined },
  ): Promise<Topic>;
  findTopic(
    nameOrUrn: string,
    options: FindOptions,
  ): Promise<Topic | undefined>;
  /** Changes the display name. */
  updateTopic(
    topic: TopicReference,
    change: TopicChange,
    options?: RequestOptions,
  ): Promise<UpdatedTopic>;
}

export const topicsPath = ["notifications", "topics"] as const;

export function createTopicOperations(api: Api): TopicOperations {
  return {
    async createTopic(topic, options) {
      const answer = await api(
        {
          method: "POST",
          path: topicsPath,
          body: {
            name: topic.name,
            display_name: topic.displayName ?? "",
            enterprise_project_id: topic.enterpriseProjectId,
          },
          // The same name leads to the same topic.
          isIdempotent: true,
        },
        options,
      );
      return {
        topicUrn: readText(answer.body, "topic_urn"),
        name: topic.name,
        requestId: answer.requestId,
      };
    },

    async deleteTopic(topic, options = {}) {
      const path = [...topicsPath, toTopicUrn(topic)];
      await deleted(api({ method: "DELETE", path }, options), options);
    },

    topics: (query, options) => listTopics(api, query, options),
    getTopic: (topic, options) => getTopic(api, toTopicUrn(topic), options),
    findTopic: (nameOrUrn: string, options?: FindOptions) =>
      // One body for both promises: it rejects where they differ.
      findTopic(api, nameOrUrn, options) as Promise<Topic>,

    async updateTopic(topic, { displayName }, options) {
      const topicUrn = toTopicUrn(topic);
      const path = [...topicsPath, topicUrn];
      const body = { display_name: displayName };
      const { requestId } = await api({ method: "PUT", path, body }, options);
      return { topicUrn, displayName, requestId };
    },
  };
}

/** The URN of a topic that is given by URN, by name or as an object. */
export async function resolveTopicUrn(
  api: Api,
  topic: TopicReference,
  options?: RequestOptions,
): Promise<string> {
  const reference = toTopicUrn(topic);
  if (typeof topic !== "string" || isUrn(reference)) return reference;
  const found = await searchTopic(api, reference, options);
  if (found === undefined) throw notFound("topic", reference);
  return found.topicUrn;
}

function listTopics(
  api: Api,
  query: TopicQuery = {},
  options?: RequestOptions,
): AsyncGenerator<Topic, void, undefined> {
  return paginate(
    async (page) => {
      const { body } = await api(
        {
          method: "GET",
          path: topicsPath,
          query: {
            ...page,
            topic_id: query.topicId,
            name: query.name,
            fuzzy_name: query.fuzzyName,
            fuzzy_display_name: query.fuzzyDisplayName,
            enterprise_project_id: query.enterpriseProjectId,
          },
        },
        options,
      );
      return {
        items: readObjects(body, "topics").map(toTopic),
        total: findNumber(body, "topic_count"),
      };
    },
    (topic) => topic.topicUrn,
    query,
  );
}

async function getTopic(
  api: Api,
  urn: string,
  options?: RequestOptions,
): Promise<Topic> {
  const path = [...topicsPath, urn];
  return toTopic((await api({ method: "GET", path }, options)).body);
}

async function findTopic(
  api: Api,
  nameOrUrn: string,
  options: FindOptions = {},
): Promise<Topic | undefined> {
  const reference = toTopicUrn(nameOrUrn);
  const topic = isUrn(reference)
    ? await foundOrNot(getTopic(api, reference, options))
    : await searchTopic(api, reference, options);
  if (topic === undefined && !options.ignoreMissing) {
    throw notFound("topic", nameOrUrn);
  }
  return topic;
}

/**
 * Filters make the list short with services that know them. With the others
 * the whole list is walked, so what comes back is looked at again.
 */
async function searchTopic(
  api: Api,
  nameOrId: string,
  options?: RequestOptions,
): Promise<Topic | undefined> {
  const queries: TopicQuery[] = [
    ...(isId(nameOrId) ? [{ topicId: nameOrId }] : []),
    { name: nameOrId },
  ];
  for (const query of queries) {
    for await (const topic of listTopics(api, query, options)) {
      if (topic.name === nameOrId || topic.topicId === nameOrId) return topic;
    }
  }
  return undefined;
}

function toTopic(body: JsonObject): Topic {
  return {
    topicUrn: readText(body, "topic_urn"),
    name: findText(body, "name") ?? "",
    displayName: findText(body, "display_name") ?? "",
    pushPolicy: findNumber(body, "push_policy") ?? 0,
    enterpriseProjectId: findText(body, "enterprise_project_id"),
    topicId: findText(body, "topic_id"),
    createTime: findText(body, "create_time"),
    updateTime: findText(body, "update_time"),
  };
}
