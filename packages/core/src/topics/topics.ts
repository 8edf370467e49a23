/** What owners do with topics. */

import { CarillonError } from "../errors.ts";
import type { NewId, ProjectId, TopicId } from "../ids.ts";
import type { Clock } from "../ports/clock.ts";
import type { Page, PageRequest } from "../ports/page.ts";
import type {
  TopicChange,
  TopicFilter,
  TopicStore,
} from "../ports/topic-store.ts";
import { checkStorable } from "../text.ts";
import { formatTopicUrn, parseTopicUrn } from "../urn.ts";
import {
  checkDisplayName,
  checkTopicName,
  defaultTopicsPerProject,
  type Topic,
} from "./topic.ts";
import {
  checkAttributeName,
  checkAttributeValue,
  type TopicAttributeName,
} from "./topic-attributes.ts";

export interface TopicsOptions {
  /** The region that stands in this installation's URNs. */
  readonly region: string;
  /** Topics a project may have. */
  readonly quota?: () => number;
}

/** Creates, finds, lists, changes and deletes topics. */
export interface Topics {
  readonly region: string;
  /**
   * Creates a topic, or answers the one of that name unchanged.
   *
   * @throws CarillonError TOPIC_NAME_INVALID, DISPLAY_NAME_INVALID,
   * TOPIC_QUOTA_EXCEEDED, PROJECT_DELETED
   */
  create(
    projectId: ProjectId,
    topic: {
      readonly name: string;
      readonly displayName?: string | undefined;
      readonly enterpriseProjectId?: string | undefined;
    },
  ): Promise<{ topic: Topic; created: boolean }>;
  list(
    projectId: ProjectId,
    filter: TopicFilter,
    page: PageRequest,
  ): Promise<Page<Topic>>;
  /**
   * A topic by its URN. One of another project or region is as if absent.
   *
   * @throws CarillonError TOPIC_URN_INVALID, TOPIC_NOT_FOUND
   */
  get(projectId: ProjectId, urn: string): Promise<Topic>;
  /**
   * The id of the latest topic with that URN, also of one that was deleted;
   * `undefined` when the project never had one.
   */
  findLatestId(projectId: ProjectId, urn: string): Promise<TopicId | undefined>;
  update(
    projectId: ProjectId,
    urn: string,
    change: { readonly displayName: string },
  ): Promise<void>;
  /**
   * @throws CarillonError TOPIC_URN_INVALID, TOPIC_NOT_FOUND,
   * TOPIC_ATTRIBUTE_INVALID, TOPIC_ATTRIBUTE_TOO_LONG, and those of
   * `parseAccessPolicy`
   */
  setAttribute(
    projectId: ProjectId,
    urn: string,
    name: string,
    value: unknown,
  ): Promise<void>;
  /**
   * Makes one attribute empty, or all when none is named.
   *
   * @throws CarillonError TOPIC_URN_INVALID, TOPIC_NOT_FOUND,
   * TOPIC_ATTRIBUTE_INVALID
   */
  resetAttributes(
    projectId: ProjectId,
    urn: string,
    name?: string,
  ): Promise<void>;
  /** Removes the topic and its subscriptions at once. */
  remove(projectId: ProjectId, urn: string): Promise<void>;
  urnOf(topic: Pick<Topic, "projectId" | "name">): string;
}

/** Builds the operations on topics. */
export function createTopics(
  ports: {
    readonly store: TopicStore;
    readonly clock: Clock;
    readonly newId: NewId<TopicId>;
  },
  options: TopicsOptions,
): Topics {
  const { store, clock, newId } = ports;
  const { region, quota = () => defaultTopicsPerProject } = options;

  /** The topic's name, if the URN can be one of the project's. */
  function nameIn(projectId: ProjectId, text: string): string {
    const urn = parseTopicUrn(text);
    if (!urn) {
      throw new CarillonError(
        "TOPIC_URN_INVALID",
        "Invalid topic URN: urn:smn:{region}:{project_id}:{topic name} is expected.",
      );
    }
    if (urn.projectId !== projectId || urn.region !== region) {
      throw topicNotFound();
    }
    return urn.topicName;
  }

  async function write(
    projectId: ProjectId,
    urn: string,
    change: Omit<TopicChange, "updatedAt">,
  ): Promise<void> {
    const found = await store.updateTopic(projectId, nameIn(projectId, urn), {
      ...change,
      updatedAt: clock.now(),
    });
    if (!found) throw topicNotFound();
  }

  return {
    region,
    create: async (projectId, { name, displayName, enterpriseProjectId }) => {
      const now = clock.now();
      return await store.createTopic(
        {
          id: newId(),
          projectId,
          name: checkTopicName(name),
          displayName: checkDisplayName(displayName ?? ""),
          enterpriseProjectId: checkStorable(
            enterpriseProjectId ?? "0",
            "TOPIC_NAME_INVALID",
            "enterprise project id",
          ),
          pushPolicy: 0,
          introduction: "",
          accessPolicy: "",
          createdAt: now,
          updatedAt: now,
        },
        quota(),
      );
    },
    list: (projectId, filter, page) =>
      store.listTopics(projectId, filter, page),
    async get(projectId, urn) {
      const topic = await store.findTopic(projectId, nameIn(projectId, urn));
      if (!topic) throw topicNotFound();
      return topic;
    },
    async findLatestId(projectId, text) {
      const urn = parseTopicUrn(text);
      return urn?.projectId === projectId && urn.region === region
        ? await store.findLatestTopicId(projectId, urn.topicName)
        : undefined;
    },
    update: async (projectId, urn, change) =>
      await write(projectId, urn, {
        displayName: checkDisplayName(change.displayName),
      }),
    async setAttribute(projectId, urn, name, value) {
      const attribute = checkAttributeName(name);
      await write(projectId, urn, {
        [memberOf[attribute]]: checkAttributeValue(attribute, value),
      });
    },
    async resetAttributes(projectId, urn, name) {
      const change =
        name === undefined
          ? { introduction: "", accessPolicy: "" }
          : { [memberOf[checkAttributeName(name)]]: "" };
      await write(projectId, urn, change);
    },
    async remove(projectId, urn) {
      const name = nameIn(projectId, urn);
      const found = await store.deleteTopic(projectId, name, clock.now());
      if (!found) throw topicNotFound();
    },
    urnOf: ({ projectId, name }) =>
      formatTopicUrn({ region, projectId, topicName: name }),
  };
}

/** Where a topic keeps its attributes. */
const memberOf = {
  access_policy: "accessPolicy",
  introduction: "introduction",
} as const satisfies Record<TopicAttributeName, keyof Topic>;

function topicNotFound(): CarillonError {
  return new CarillonError("TOPIC_NOT_FOUND", "Topic not found.");
}
