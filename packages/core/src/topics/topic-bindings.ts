/**
 * What owners bind to their topics: a log of deliveries, a key to seal
 * messages with, a policy of escalation. One of each kind.
 */

import { CarillonError } from "../errors.ts";
import type { NewId, ProjectId } from "../ids.ts";
import type { BindingStore } from "../ports/binding-store.ts";
import type { Clock } from "../ports/clock.ts";
import { checkStorable } from "../text.ts";
import type {
  BindingData,
  BindingKind,
  TopicBinding,
} from "./topic-binding.ts";
import type { Topics } from "./topics.ts";

/** Binds things to topics, changes and removes them. */
export interface TopicBindings {
  /**
   * @throws CarillonError TOPIC_URN_INVALID, TOPIC_NOT_FOUND, BINDING_EXISTS
   */
  create<Kind extends BindingKind>(
    projectId: ProjectId,
    topicUrn: string,
    kind: Kind,
    data: BindingData[Kind],
  ): Promise<TopicBinding<Kind>>;
  /** @throws CarillonError TOPIC_URN_INVALID, TOPIC_NOT_FOUND */
  find<Kind extends BindingKind>(
    projectId: ProjectId,
    topicUrn: string,
    kind: Kind,
  ): Promise<TopicBinding<Kind> | undefined>;
  /**
   * @throws CarillonError TOPIC_URN_INVALID, TOPIC_NOT_FOUND,
   * BINDING_NOT_FOUND
   */
  get<Kind extends BindingKind>(
    projectId: ProjectId,
    topicUrn: string,
    kind: Kind,
  ): Promise<TopicBinding<Kind>>;
  /**
   * Replaces what is bound, and answers it.
   *
   * @throws CarillonError TOPIC_URN_INVALID, TOPIC_NOT_FOUND,
   * BINDING_NOT_FOUND
   */
  update<Kind extends BindingKind>(
    projectId: ProjectId,
    topicUrn: string,
    kind: Kind,
    id: string,
    data: BindingData[Kind],
  ): Promise<TopicBinding<Kind>>;
  /**
   * @throws CarillonError TOPIC_URN_INVALID, TOPIC_NOT_FOUND,
   * BINDING_NOT_FOUND
   */
  remove(
    projectId: ProjectId,
    topicUrn: string,
    kind: BindingKind,
    id: string,
  ): Promise<void>;
}

/** Builds the operations on what is bound to topics. */
export function createTopicBindings(ports: {
  readonly store: BindingStore;
  readonly topics: Topics;
  readonly clock: Clock;
  readonly newId: NewId;
}): TopicBindings {
  const { store, topics, clock, newId } = ports;

  async function get<Kind extends BindingKind>(
    projectId: ProjectId,
    topicUrn: string,
    kind: Kind,
  ): Promise<TopicBinding<Kind>> {
    const { seq } = await topics.get(projectId, topicUrn);
    const found = await store.findBinding(seq, kind);
    if (!found) throw bindingNotFound();
    return found;
  }

  return {
    async create(projectId, topicUrn, kind, data) {
      checkData(data);
      const topic = await topics.get(projectId, topicUrn);
      const id = newId();
      const createdAt = clock.now();
      const isNew = await store.addBinding(topic.seq, kind, {
        id,
        data,
        createdAt,
      });
      if (!isNew) {
        throw new CarillonError(
          "BINDING_EXISTS",
          "The topic has a binding of that kind already: update it, or delete it first.",
        );
      }
      return { id, topicId: topic.id, data, createdAt, updatedAt: createdAt };
    },
    async find(projectId, topicUrn, kind) {
      const { seq } = await topics.get(projectId, topicUrn);
      return await store.findBinding(seq, kind);
    },
    get,
    async update(projectId, topicUrn, kind, id, data) {
      checkData(data);
      const { seq } = await topics.get(projectId, topicUrn);
      const updatedAt = clock.now();
      const change = { data, updatedAt };
      if (!(await store.updateBinding(seq, kind, id, change))) {
        throw bindingNotFound();
      }
      return await get(projectId, topicUrn, kind);
    },
    async remove(projectId, topicUrn, kind, id) {
      const { seq } = await topics.get(projectId, topicUrn);
      if (!(await store.removeBinding(seq, kind, id))) throw bindingNotFound();
    },
  };
}

/** @throws CarillonError BINDING_INVALID */
function checkData(data: BindingData[BindingKind]): void {
  for (const value of Object.values(data)) {
    if (typeof value !== "string") continue;
    checkStorable(value, "BINDING_INVALID", "binding");
  }
}

function bindingNotFound(): CarillonError {
  return new CarillonError(
    "BINDING_NOT_FOUND",
    "The topic has no such binding.",
  );
}
