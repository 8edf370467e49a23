/** What is bound to topics, in the in-memory store. */

import type { BindingData, BindingKind, TopicBinding } from "@carillon/core";

export class MemoryBindings {
  readonly #bindings = new Map<string, TopicBinding>();

  addBinding<Kind extends BindingKind>(
    topic: { readonly seq: number; readonly id: string },
    kind: Kind,
    {
      id,
      data,
      createdAt,
    }: Pick<TopicBinding<Kind>, "id" | "data" | "createdAt">,
  ): boolean {
    const key = keyOf(topic.seq, kind);
    if (this.#bindings.has(key)) return false;
    const binding = { id, topicId: topic.id, data, createdAt };
    this.#bindings.set(key, { ...binding, updatedAt: createdAt });
    return true;
  }

  findBinding<Kind extends BindingKind>(
    topicSeq: number,
    kind: Kind,
  ): TopicBinding<Kind> | undefined {
    // The key has the kind in it.
    return this.#bindings.get(keyOf(topicSeq, kind)) as
      | TopicBinding<Kind>
      | undefined;
  }

  updateBinding<Kind extends BindingKind>(
    topicSeq: number,
    kind: Kind,
    id: string,
    change: { readonly data: BindingData[Kind]; readonly updatedAt: number },
  ): boolean {
    const known = this.findBinding(topicSeq, kind);
    if (known?.id !== id) return false;
    this.#bindings.set(keyOf(topicSeq, kind), { ...known, ...change });
    return true;
  }

  removeBinding(topicSeq: number, kind: BindingKind, id: string): boolean {
    const isThere = this.findBinding(topicSeq, kind)?.id === id;
    return isThere && this.#bindings.delete(keyOf(topicSeq, kind));
  }

  removeTopic(topicSeq: number): void {
    for (const key of this.#bindings.keys()) {
      if (key.startsWith(`${topicSeq}/`)) this.#bindings.delete(key);
    }
  }
}

function keyOf(topicSeq: number, kind: BindingKind): string {
  return `${topicSeq}/${kind}`;
}
