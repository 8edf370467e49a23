/**
 * A batch of the change feed as listeners see it: read once, whatever many
 * listen. What only some need, such as endpoints, is read when one asks.
 */

import {
  type ChangeBatch,
  type ChangeFeed,
  countRuns,
  type DeliveryHead,
  deliveryFacts,
  type EventContext,
  type EventFacts,
  type EventType,
  eventTime,
  type FeedPosition,
  isPermanent,
  type Logger,
  listRuns,
  type MessageHead,
  messageFacts,
  occurrenceFacts,
  type ProjectId,
  type TopicHead,
  toDeliveryId,
  topicOfDelivery,
} from "@carillon/core";

/** Events of one change; of the same type and project. */
export interface ToldChange {
  readonly projectId: ProjectId;
  readonly type: EventType;
  /** How many events it is. */
  readonly count: number;
  readonly messageId?: string | undefined;
  readonly topicUrn?: string | undefined;
  /** Of a message to several topics, in place of `topicUrn`. */
  readonly several?: {
    /** All of the message's. */
    readonly topicUrns: readonly string[];
    /** That of each event, in order. */
    ofEvents(): Promise<readonly (string | undefined)[]>;
  };
  /** The protocols of its events, in order; absent where it has none. */
  protocols(): Promise<readonly (string | undefined)[]>;
  /** The JSON of its events `from` up to `to`, which is not among them. */
  texts(from: number, to: number): Promise<readonly string[]>;
}

export interface ToldBatch {
  /** In front of it, and behind it. */
  readonly before: FeedPosition;
  readonly position: FeedPosition;
  readonly at: string;
  /** `undefined`: events that nobody is told of; they count in positions. */
  readonly changes: readonly {
    readonly count: number;
    readonly told: ToldChange | undefined;
  }[];
  /** It cannot be told at all. */
  readonly isUnreadable: boolean;
}

type Heads = Pick<ChangeFeed, "findMessageHeads" | "listDeliveryHeads">;

export interface ToldBatchContext extends EventContext {
  readonly logger: Logger;
}

/** A batch whose messages cannot be read is logged, and told as unreadable. */
export async function toToldBatches(
  store: Heads,
  after: FeedPosition,
  batches: readonly ChangeBatch[],
  context: ToldBatchContext,
): Promise<ToldBatch[]> {
  try {
    return await toldTogether(store, after, batches, context);
  } catch (error) {
    if (!isPermanent(error)) throw error;
    const [first] = batches;
    if (batches.length === 1 && first) {
      const { position } = first;
      context.logger.error("change_unreadable", { position, error });
      const unreadable = { ...first, changes: [], unreadable: error };
      return await toldTogether(store, after, [unreadable], context);
    }
  }
  const all: ToldBatch[] = [];
  for (const batch of batches) {
    const before = all.at(-1)?.position ?? after;
    all.push(...(await toToldBatches(store, before, [batch], context)));
  }
  return all;
}

async function toldTogether(
  store: Heads,
  after: FeedPosition,
  batches: readonly ChangeBatch[],
  context: EventContext,
): Promise<ToldBatch[]> {
  const seqs = new Set<number>();
  for (const { changes } of batches) {
    for (const change of changes) {
      if (change.kind === "deliveries") seqs.add(change.messageSeq);
    }
  }
  const heads = new Map<number, MessageHead>();
  for (const head of await store.findMessageHeads([...seqs])) {
    if (!head.isEvent) heads.set(head.seq, head);
  }
  let before = after;
  return batches.map(({ position, at: instant, changes, unreadable }) => {
    const at = eventTime(instant);
    const told = changes.map((change) => {
      if (change.kind === "occurrence") {
        const { type, projectId } = change;
        const facts = occurrenceFacts(context, change);
        return { count: 1, told: toOccurrence(type, projectId, facts, at) };
      }
      const { messageSeq, state, runs } = change;
      const count = countRuns(runs);
      const head = heads.get(messageSeq);
      if (!head) return { count, told: undefined };
      const deliveries = new DeliveryTexts({ store, context }, head, runs, {
        event: `delivery.${state}`,
        at,
        ...messageFacts(head, head.topic),
      });
      return {
        count,
        told: {
          projectId: head.projectId,
          type: `delivery.${state}` as const,
          count,
          messageId: head.id,
          topicUrn: head.topic?.urn,
          ...(head.topics && {
            several: {
              topicUrns: head.topics.map(({ urn }) => urn),
              ofEvents: () => deliveries.topicUrns(count),
            },
          }),
          protocols: () => deliveries.protocols(count),
          texts: (from: number, to: number) => deliveries.texts(from, to),
        },
      };
    });
    const isUnreadable = unreadable !== undefined;
    const batch = { before, position, at, changes: told, isUnreadable };
    before = position;
    return batch;
  });
}

function toOccurrence(
  type: EventType,
  projectId: ProjectId,
  facts: EventFacts,
  at: string,
): ToldChange {
  const { topicUrn, protocol } = facts;
  const text = JSON.stringify({ event: type, at, ...facts });
  return {
    projectId,
    type,
    count: 1,
    ...(typeof topicUrn === "string" && { topicUrn }),
    protocols: async () => [
      typeof protocol === "string" ? protocol : undefined,
    ],
    texts: async (from, to) => (from === 0 && to > 0 ? [text] : []),
  };
}

/** Reads deliveries as far as somebody wants them, each once. */
class DeliveryTexts {
  readonly #store: Heads;
  readonly #context: EventContext;
  readonly #head: MessageHead;
  readonly #runs: readonly number[];
  readonly #common: EventFacts;
  /** From the first on; `undefined` for one that is not there any more. */
  readonly #read: { target: number; head: DeliveryHead | undefined }[] = [];
  #reading: Promise<void> = Promise.resolve();

  constructor(
    { store, context }: { store: Heads; context: EventContext },
    head: MessageHead,
    runs: readonly number[],
    common: EventFacts,
  ) {
    this.#store = store;
    this.#context = context;
    this.#head = head;
    this.#runs = runs;
    this.#common = common;
  }

  async protocols(count: number): Promise<(string | undefined)[]> {
    await this.#readTo(count);
    return this.#read.map(({ head }) => head?.protocol);
  }

  async topicUrns(count: number): Promise<(string | undefined)[]> {
    await this.#readTo(count);
    return this.#read.map(({ head }) => this.#topicOf(head)?.urn);
  }

  async texts(from: number, to: number): Promise<string[]> {
    await this.#readTo(to);
    return this.#read.slice(from, to).map(({ target, head }) =>
      JSON.stringify({
        ...this.#common,
        deliveryId: toDeliveryId(this.#head.id, target),
        target,
        ...(head && this.#factsOf(head)),
      }),
    );
  }

  #factsOf(head: DeliveryHead): EventFacts {
    const topic = this.#topicOf(head);
    return {
      ...(this.#head.topics && messageFacts(this.#head, topic)),
      ...deliveryFacts(this.#context, this.#head, topic, head),
    };
  }

  #topicOf(head: DeliveryHead | undefined): TopicHead | undefined {
    return head && topicOfDelivery(this.#head, head);
  }

  #readTo(to: number): Promise<void> {
    this.#reading = this.#reading.then(async () => {
      const from = this.#read.length;
      if (to <= from) return;
      const targets = listRuns(this.#runs, from, to - from);
      const heads = await this.#store.listDeliveryHeads(
        this.#head.seq,
        targets,
      );
      const byTarget = new Map(heads.map((head) => [head.target, head]));
      for (const target of targets) {
        this.#read.push({ target, head: byTarget.get(target) });
      }
    });
    return this.#reading;
  }
}
