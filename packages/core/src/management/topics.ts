/** What owners do with topics. */

import { CarillonError } from "../errors.ts";
import type { NewId, ProjectId, TopicId } from "../ids.ts";
import type { Clock } from "../ports/clock.ts";
import type { Page, PageRequest } from "../ports/page.ts";
import type { TopicFilter, TopicStore } from "../ports/topic-store.ts";
import {
  checkDisplayName,
  checkTopicName,
  defaultTopicsPerProject,
  type Topic,
} from "../topic.ts";
import { formatTopicUrn, parseTopicUrn } from "../urn.ts";

export interface TopicsOptions {
  /** The region that stands in this installation's URNs. */
  readonly region: string;
  /** Topics a project may have. */
  readonly quota?: number;
}

export interface Topics {
  readonly region: string;
  /**
   * Creates a topic, or answers the one of that name unchanged.
   *
   * @throws CarillonError TOPIC_NAME_INVALID, DISPLAY_NAME_INVALID,
   * TOPIC_QUOTA_EXCEEDED
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
  update(
    projectId: ProjectId,
    urn: string,
    change: { readonly displayName: string },
  ): Promise<void>;
  /** Removes the topic and its subscriptions at once. */
  remove(projectId: ProjectId, urn: string): Promise<void>;
  urnOf(topic: Pick<Topic, "projectId" | "name">): string;
}

export function createTopics(
  ports: {
    readonly store: TopicStore;
    readonly clock: Clock;
    readonly newId: NewId;
  },
  options: TopicsOptions,
): Topics {
  const { store, clock, newId } = ports;
  const { region, quota = defaultTopicsPerProject } = options;

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

  return {
    region,
    create: async (projectId, { name, displayName, enterpriseProjectId }) => {
      const now = clock.now();
      return await store.createTopic(
        {
          id: newId() as TopicId,
          projectId,
          name: checkTopicName(name),
          displayName: checkDisplayName(displayName ?? ""),
          enterpriseProjectId: enterpriseProjectId ?? "0",
          pushPolicy: 0,
          introduction: "",
          createdAt: now,
          updatedAt: now,
        },
        quota,
      );
    },
    list: (projectId, filter, page) =>
      store.listTopics(projectId, filter, page),
    async get(projectId, urn) {
      const topic = await store.findTopic(projectId, nameIn(projectId, urn));
      if (!topic) throw topicNotFound();
      return topic;
    },
    async update(projectId, urn, change) {
      const found = await store.updateTopic(projectId, nameIn(projectId, urn), {
        displayName: checkDisplayName(change.displayName),
        updatedAt: clock.now(),
      });
      if (!found) throw topicNotFound();
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

function topicNotFound(): CarillonError {
  return new CarillonError("TOPIC_NOT_FOUND", "Topic not found.");
}
