/** What is bound to topics, in the in-memory store. */

import {
  type BindingKind,
  type BindingStore,
  CarillonError,
  type TopicBinding,
} from "@carillon/core";
import { hasTopic } from "./directory.ts";
import type { Tables } from "./tables.ts";

export function createBindingStore(tables: Tables): BindingStore {
  const { topics, bindings, write } = tables;

  function find<Kind extends BindingKind>(topicSeq: number, kind: Kind) {
    // The key has the kind in it.
    return bindings.get(bindingKey(topicSeq, kind)) as
      | TopicBinding<Kind>
      | undefined;
  }

  return {
    addBinding: (topicSeq, kind, binding) =>
      write(() => {
        const topic = topics.get(topicSeq);
        if (!topic || !hasTopic(tables, topicSeq)) {
          throw new CarillonError("TOPIC_NOT_FOUND");
        }
        if (find(topicSeq, kind)) return false;
        const { id, data, createdAt } = binding;
        const times = { createdAt, updatedAt: createdAt };
        const row = { id, topicId: topic.id, data, ...times };
        bindings.put(bindingKey(topicSeq, kind), row);
        return true;
      }),
    async findBinding(topicSeq, kind) {
      return find(topicSeq, kind);
    },
    updateBinding: (topicSeq, kind, id, change) =>
      write(() => {
        const known = find(topicSeq, kind);
        if (known?.id !== id) return false;
        bindings.put(bindingKey(topicSeq, kind), { ...known, ...change });
        return true;
      }),
    removeBinding: (topicSeq, kind, id) =>
      write(
        () =>
          find(topicSeq, kind)?.id === id &&
          bindings.delete(bindingKey(topicSeq, kind)),
      ),
  };
}

export function removeBindings({ bindings }: Tables, topicSeq: number): void {
  for (const [key] of bindings.entries()) {
    if (`${key}`.startsWith(`${topicSeq}/`)) bindings.delete(key);
  }
}

function bindingKey(topicSeq: number, kind: BindingKind): string {
  return `${topicSeq}/${kind}`;
}
