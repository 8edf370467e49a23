import type { EpochMs } from "../time.ts";
import type {
  BindingData,
  BindingKind,
  TopicBinding,
} from "../topics/topic-binding.ts";

/** What is bound to topics: at most one of each kind. */
export interface BindingStore {
  /**
   * Answers false when the topic has one of that kind already, TOPIC_NOT_FOUND
   * when it went away in between.
   *
   * @throws CarillonError TOPIC_NOT_FOUND
   */
  addBinding<Kind extends BindingKind>(
    topicSeq: number,
    kind: Kind,
    binding: {
      readonly id: string;
      readonly data: BindingData[Kind];
      readonly createdAt: EpochMs;
    },
  ): Promise<boolean>;
  findBinding<Kind extends BindingKind>(
    topicSeq: number,
    kind: Kind,
  ): Promise<TopicBinding<Kind> | undefined>;
  /** Replaces all of its data. Answers false when there is no such one. */
  updateBinding<Kind extends BindingKind>(
    topicSeq: number,
    kind: Kind,
    id: string,
    change: { readonly data: BindingData[Kind]; readonly updatedAt: EpochMs },
  ): Promise<boolean>;
  /** Answers false when there is no such one. */
  removeBinding(
    topicSeq: number,
    kind: BindingKind,
    id: string,
  ): Promise<boolean>;
}
