/** Messages, chunks, deliveries and receipts of the in-memory store. */

import {
  type Attempt,
  type Chunk,
  type ChunkEnd,
  type ChunkOutcome,
  type ClaimedDelivery,
  type Clock,
  cancelReasons,
  type Delivery,
  type DeliveryOutcome,
  type DeliveryState,
  decideClaim,
  type EpochMs,
  type FencedOutcome,
  formatSubscriptionUrn,
  type HourlyCount,
  hourMs,
  isSettled,
  type Lease,
  type Message,
  type MessageId,
  type MessageReport,
  mergeStates,
  type NewMessage,
  nextState,
  type PendingWork,
  type ProjectId,
  type Receipt,
  type Recipient,
  type ReclaimedWork,
  type RefusedOutcome,
  type Subscription,
} from "@carillon/core";
import type { MemoryDirectory } from "./memory-directory.ts";

type DirectRecipient = Pick<Recipient, "protocol" | "endpoint">;

/** Who holds a row, and until when in the clock's monotonic time. */
interface Hold {
  readonly owner: string;
  readonly until: number;
}

interface ChunkRow extends Chunk {
  readonly hold?: Hold;
}

interface DeliveryRow extends DeliveryOutcome {
  readonly billable: boolean;
  readonly round?: number;
  readonly fence: number;
  /** While an attempt is under way. */
  readonly hold?: Hold;
  readonly earlierAttempts: readonly Attempt[];
}

export class MemoryLedger {
  readonly #directory: MemoryDirectory;
  readonly #clock: Clock;
  readonly #messages = new Map<number, Message>();
  readonly #recipients = new Map<number, readonly DirectRecipient[]>();
  readonly #chunks = new Map<string, ChunkRow>();
  readonly #deliveries = new Map<string, DeliveryRow>();
  /** Counts of deliveries that came to rest, by topic. */
  readonly #statistics = new Map<number, HourlyCount[]>();
  /** Receipts whose id no delivery has yet. */
  #orphans: Receipt[] = [];

  constructor(directory: MemoryDirectory, clock: Clock) {
    this.#directory = directory;
    this.#clock = clock;
  }

  acceptMessage(
    message: NewMessage,
    lease: Lease | undefined,
  ): { seq: number; chunk: Chunk | undefined } {
    const seq = this.#addMessage(message);
    const topicSeq = message.topic?.seq ?? 0;
    if (this.#directory.listActive(topicSeq).length === 0) {
      return { seq, chunk: undefined };
    }
    const chunk = this.#addChunk(seq, 0, lease);
    return { seq, chunk: lease && toChunk(chunk) };
  }

  acceptDirectMessage(
    message: NewMessage,
    recipients: readonly DirectRecipient[],
    billable: boolean,
  ): { seq: number } {
    const seq = this.#addMessage(message);
    this.#recipients.set(seq, recipients);
    for (const target of recipients.keys()) {
      this.#addDueDelivery(seq, target, message.createdAt, billable);
    }
    return { seq };
  }

  /** A message to one subscription: confirmation or unsubscribe notice. */
  acceptNotice(message: NewMessage, target: number, billable: boolean): void {
    const seq = this.#addMessage(message);
    this.#addDueDelivery(seq, target, message.createdAt, billable);
  }

  claimChunks(
    lease: Lease,
    limit: number,
  ): { chunk: Chunk; message: Message }[] {
    return [...this.#chunks.values()]
      .filter((row) => row.hold === undefined)
      .sort(
        (a, b) => a.messageSeq - b.messageSeq || a.afterTarget - b.afterTarget,
      )
      .slice(0, limit)
      .map((row) => {
        const fence = row.fence + 1;
        const hold = this.#holdFor(lease);
        const claimed = this.#putChunk({ ...row, fence, hold });
        return { chunk: toChunk(claimed), message: this.#get(row.messageSeq) };
      });
  }

  readAudience(chunk: Chunk, limit: number): Recipient[] {
    const topicSeq = this.#messages.get(chunk.messageSeq)?.topic?.seq ?? 0;
    const { subscriptions, isCancelled } =
      this.#directory.listAudience(topicSeq);
    return subscriptions
      .filter(
        ({ seq }) =>
          seq > chunk.afterTarget &&
          seq <= (chunk.uptoTarget ?? Number.POSITIVE_INFINITY),
      )
      .slice(0, limit)
      .map((subscription) => ({
        ...toRecipient(subscription),
        ...pickSet(subscription, "filterPolicies"),
        ...(isCancelled && { cancelled: true }),
      }));
  }

  splitChunk(chunk: Chunk, uptoTarget: number): { chunk: Chunk } | undefined {
    const row = this.#held(chunk);
    if (row?.uptoTarget !== undefined || !row) return undefined;
    if (uptoTarget <= row.afterTarget) return undefined;
    this.#addChunk(row.messageSeq, uptoTarget, undefined);
    return { chunk: toChunk(this.#putChunk({ ...row, uptoTarget })) };
  }

  completeChunk(chunk: Chunk, outcomes: readonly ChunkOutcome[]): ChunkEnd {
    if (!this.#held(chunk)) return { kept: false, refused: [] };
    this.#chunks.delete(chunkKey(chunk));
    for (const { lease, billable = false, ...outcome } of outcomes) {
      const known = this.#deliveries.get(deliveryKey(outcome));
      // An earlier run of the chunk got further: what that one wrote is kept.
      if (known && isSettled(known.state)) continue;
      if (!known && isSettled(outcome.state)) this.#countSettled(outcome);
      this.#writeOutcome(
        known ?? { ...outcome, billable, fence: 0, earlierAttempts: [] },
        outcome,
        lease,
      );
    }
    return { kept: true, refused: [] };
  }

  releaseChunk(chunk: Chunk): void {
    const row = this.#held(chunk);
    if (row) this.#putChunk(freed(row));
  }

  claimDue(lease: Lease, now: EpochMs, limit: number): ClaimedDelivery[] {
    const claimed: ClaimedDelivery[] = [];
    for (const row of this.#dueRows(now)) {
      if (claimed.length === limit) break;
      const recipient = this.#recipientOf(row);
      const decision = recipient ? this.#decideClaim(row) : "unsubscribed";
      if (!recipient || decision !== "send") {
        this.#cancel(row, cancelReasons[decision], now);
        continue;
      }
      const { nextAttemptAt: _, ...rest } = row;
      const fence = row.fence + 1;
      const hold = this.#holdFor(lease);
      this.#putDelivery({ ...rest, state: "sending", fence, hold });
      claimed.push({
        messageSeq: row.messageSeq,
        recipient,
        state: row.state,
        attempts: row.attempts,
        ...(row.lastAttempt && { lastAttempt: row.lastAttempt }),
        fence,
      });
    }
    return claimed;
  }

  renewLeases(lease: Lease): void {
    const hold = this.#holdFor(lease);
    for (const row of this.#chunks.values()) {
      if (row.hold?.owner === lease.owner) this.#putChunk({ ...row, hold });
    }
    for (const row of this.#deliveries.values()) {
      if (row.hold?.owner === lease.owner) this.#putDelivery({ ...row, hold });
    }
  }

  reclaimLapsed(now: EpochMs): ReclaimedWork {
    const monotonic = this.#clock.monotonic();
    return this.#reclaim(now, (hold) => hold.until <= monotonic);
  }

  reclaimAll(now: EpochMs): ReclaimedWork {
    return this.#reclaim(now, () => true);
  }

  recordOutcomes(outcomes: readonly FencedOutcome[]): RefusedOutcome[] {
    for (const { fence, previousAttempt, ...outcome } of outcomes) {
      const row = this.#deliveries.get(deliveryKey(outcome));
      if (row?.fence !== fence) continue;
      this.#writeOutcome(
        previousAttempt
          ? {
              ...row,
              earlierAttempts: [...row.earlierAttempts, previousAttempt],
            }
          : row,
        outcome,
      );
    }
    return [];
  }

  recordReceipt(receipt: Receipt): void {
    const row = [...this.#deliveries.values()].findLast(
      (it) =>
        it.provider === receipt.provider &&
        it.externalId === receipt.externalId,
    );
    if (row) {
      const changed = applyReceipt(row, receipt);
      this.#putDelivery(changed);
      if (!isSettled(row.state) && isSettled(changed.state)) {
        this.#countSettled(changed, receipt.at);
      }
    } else this.#orphans.push(receipt);
  }

  findMessageBySeq(seq: number): Message | undefined {
    return this.#messages.get(seq);
  }

  peekWork(): PendingWork {
    const dueAt = [...this.#deliveries.values()]
      .map((row) => row.nextAttemptAt)
      .filter((at) => at !== undefined);
    return {
      hasChunks: [...this.#chunks.values()].some(({ hold }) => !hold),
      nextDueAt: dueAt.sort((a, b) => a - b)[0],
    };
  }

  /**
   * A topic went away: nothing more of it is started. An attempt that is under
   * way cannot be taken back; its outcome is still written.
   */
  cancelTopic(topicSeq: number, at: EpochMs): void {
    this.#statistics.delete(topicSeq);
    for (const row of this.#deliveries.values()) {
      if (this.#get(row.messageSeq).topic?.seq !== topicSeq) continue;
      if (row.state !== "waiting" && row.state !== "retrying") continue;
      this.#cancel(row, cancelReasons.topic_deleted, at);
    }
  }

  readStatistics(topicSeq: number, from: number, until: number): HourlyCount[] {
    const counts = this.#statistics.get(topicSeq) ?? [];
    return counts
      .filter(({ hour }) => hour >= from && hour < until)
      .sort((a, b) => a.hour - b.hour);
  }

  /** A delivery came to rest; by default when its last attempt was. */
  #countSettled(
    { messageSeq, target, state, lastAttempt }: DeliveryOutcome,
    at = lastAttempt?.at,
  ): void {
    const { audience, topic, createdAt } = this.#get(messageSeq);
    const protocol = this.#directory.subscriptions.get(target)?.protocol;
    if (audience !== "topic" || !topic || !protocol) return;
    const instant = at ?? createdAt;
    const hour = instant - (instant % hourMs);
    const counts = this.#statistics.get(topic.seq) ?? [];
    const isSame = (it: HourlyCount) =>
      it.hour === hour && it.protocol === protocol && it.state === state;
    const count = (counts.find(isSame)?.count ?? 0) + 1;
    this.#statistics.set(topic.seq, [
      ...counts.filter((it) => !isSame(it)),
      { hour, protocol, state, count },
    ]);
  }

  findMessage(projectId: ProjectId, id: MessageId): MessageReport | undefined {
    const message = [...this.#messages.values()].find(
      (it) => it.projectId === projectId && it.id === id,
    );
    return message && this.#report(message);
  }

  listMessages(
    projectId: ProjectId,
    page: { readonly limit: number; readonly before?: number },
  ): MessageReport[] {
    const { limit, before = Number.POSITIVE_INFINITY } = page;
    return [...this.#messages.values()]
      .filter((it) => it.projectId === projectId && it.seq < before)
      .reverse()
      .slice(0, limit)
      .map((message) => this.#report(message));
  }

  listDeliveries(
    messageSeq: number,
    page: {
      readonly limit: number;
      readonly after?: number;
      readonly state?: DeliveryState;
    },
  ): Delivery[] {
    const { limit, after = -1, state } = page;
    return this.#deliveriesOf(messageSeq)
      .filter((row) => row.target > after)
      .filter((row) => state === undefined || row.state === state)
      .sort((a, b) => a.target - b.target)
      .slice(0, limit)
      .map((row) => this.#toDelivery(row));
  }

  findDelivery(messageSeq: number, target: number): Delivery | undefined {
    const row = this.#deliveries.get(deliveryKey({ messageSeq, target }));
    return row && this.#toDelivery(row);
  }

  #get(messageSeq: number): Message {
    const message = this.#messages.get(messageSeq);
    if (!message) throw new Error(`There is no message ${messageSeq}.`);
    return message;
  }

  #addMessage(message: NewMessage): number {
    const seq = this.#messages.size + 1;
    this.#messages.set(seq, { ...message, seq });
    return seq;
  }

  #addChunk(
    messageSeq: number,
    afterTarget: number,
    lease: Lease | undefined,
  ): ChunkRow {
    return this.#putChunk({
      messageSeq,
      afterTarget,
      uptoTarget: undefined,
      fence: lease ? 1 : 0,
      ...(lease && { hold: this.#holdFor(lease) }),
    });
  }

  #putChunk(row: ChunkRow): ChunkRow {
    this.#chunks.set(chunkKey(row), row);
    return row;
  }

  /** The chunk as it is kept, if nobody claimed it since. */
  #held(chunk: Chunk): ChunkRow | undefined {
    const row = this.#chunks.get(chunkKey(chunk));
    return row?.fence === chunk.fence ? row : undefined;
  }

  #holdFor({ owner, leaseMs }: Lease): Hold {
    return { owner, until: this.#clock.monotonic() + leaseMs };
  }

  #reclaim(now: EpochMs, isOver: (hold: Hold) => boolean): ReclaimedWork {
    const count = { freed: 0, interrupted: 0 };
    for (const row of this.#chunks.values()) {
      if (!row.hold || !isOver(row.hold)) continue;
      this.#putChunk(freed(row));
      count.freed++;
    }
    for (const row of this.#deliveries.values()) {
      if (!row.hold || !isOver(row.hold)) continue;
      if (row.billable) {
        // Its fence stays: nobody repeats it, and who made it may still tell.
        const { hold: _, ...rest } = row;
        const lost = { ...rest, state: nextState(row.state, "lose") };
        this.#putDelivery(lost);
        this.#countSettled(lost, now);
        count.interrupted++;
      } else {
        this.#putDelivery({ ...freed(row), nextAttemptAt: now });
        count.freed++;
      }
    }
    return count;
  }

  #addDueDelivery(
    messageSeq: number,
    target: number,
    at: EpochMs,
    billable: boolean,
  ): void {
    this.#putDelivery({
      messageSeq,
      target,
      state: "waiting",
      attempts: 0,
      nextAttemptAt: at,
      billable,
      fence: 0,
      earlierAttempts: [],
    });
  }

  #putDelivery(row: DeliveryRow): void {
    this.#deliveries.set(deliveryKey(row), row);
  }

  #deliveriesOf(messageSeq: number): DeliveryRow[] {
    return [...this.#deliveries.values()].filter(
      (row) => row.messageSeq === messageSeq,
    );
  }

  /** Longest due first. */
  #dueRows(now: EpochMs): DeliveryRow[] {
    const dueAt = (row: DeliveryRow) =>
      row.nextAttemptAt ?? Number.POSITIVE_INFINITY;
    return [...this.#deliveries.values()]
      .filter((row) => dueAt(row) <= now)
      .sort((a, b) => dueAt(a) - dueAt(b));
  }

  #recipientOf({ messageSeq, target }: DeliveryRow): Recipient | undefined {
    const direct = this.#recipients.get(messageSeq)?.[target];
    if (direct) {
      return { target, protocol: direct.protocol, endpoint: direct.endpoint };
    }
    const subscription = this.#directory.subscriptions.get(target);
    return subscription && toRecipient(subscription);
  }

  #decideClaim(row: DeliveryRow) {
    return decideClaim({
      audience: this.#get(row.messageSeq).audience,
      status: this.#directory.subscriptions.get(row.target)?.status,
      isEscalationOver: this.#isEscalationOver(row),
    });
  }

  /** `reason`: told where no attempt was made that says more. */
  #cancel(row: DeliveryRow, reason: string | undefined, at: EpochMs): void {
    const { nextAttemptAt: _, ...rest } = row;
    const lastAttempt = reason && { at, durationMs: 0, error: reason };
    this.#putDelivery({
      ...rest,
      state: nextState(row.state, "cancel"),
      ...(row.attempts === 0 && lastAttempt && { lastAttempt }),
    });
  }

  /** Whether an earlier round delivered the message. */
  #isEscalationOver({ messageSeq, round = 1 }: DeliveryRow): boolean {
    return this.#deliveriesOf(messageSeq).some(
      (it) =>
        it.round !== undefined && it.round < round && it.state === "delivered",
    );
  }

  /** Writes an outcome, and the receipts that came before the id they name. */
  #writeOutcome(
    row: DeliveryRow,
    outcome: DeliveryOutcome,
    lease?: Lease,
  ): void {
    const state = mergeStates(row.state, outcome.state);
    if (!isSettled(row.state) && isSettled(state)) {
      this.#countSettled({ ...outcome, state });
    }
    const { nextAttemptAt: _, hold: _ended, ...kept } = row;
    const { nextAttemptAt } = outcome;
    const isUnderWay = state === "sending" && lease !== undefined;
    let merged: DeliveryRow = {
      ...kept,
      state,
      attempts: outcome.attempts,
      ...pickSet(outcome, "lastAttempt"),
      ...pickSet(outcome, "externalId"),
      ...pickSet(outcome, "provider"),
      ...pickSet(outcome, "segments"),
      ...(isUnderWay && { hold: this.#holdFor(lease) }),
      ...(!isSettled(state) &&
        !isUnderWay &&
        nextAttemptAt !== undefined && { nextAttemptAt }),
    };
    const isEarly = (receipt: Receipt) =>
      receipt.provider === merged.provider &&
      receipt.externalId === merged.externalId;
    for (const receipt of this.#orphans.filter(isEarly)) {
      merged = applyReceipt(merged, receipt);
    }
    this.#orphans = this.#orphans.filter((receipt) => !isEarly(receipt));
    this.#putDelivery(merged);
  }

  #report(message: Message): MessageReport {
    const counts: Partial<Record<DeliveryState, number>> = {};
    for (const { state } of this.#deliveriesOf(message.seq)) {
      counts[state] = (counts[state] ?? 0) + 1;
    }
    const fannedOut = ![...this.#chunks.values()].some(
      (row) => row.messageSeq === message.seq,
    );
    return { message, fannedOut, counts };
  }

  #toDelivery(row: DeliveryRow): Delivery {
    const { messageSeq, target, lastAttempt } = row;
    const { topic } = this.#get(messageSeq);
    const direct = this.#recipients.get(messageSeq)?.[target];
    const subscription = this.#directory.subscriptions.get(target);
    const recipient = direct ?? subscription;
    if (!recipient) throw new Error(`Nobody is target ${target}.`);
    return {
      messageSeq,
      target,
      protocol: recipient.protocol,
      endpoint: recipient.endpoint,
      ...(!direct &&
        topic &&
        subscription && {
          subscriptionUrn: formatSubscriptionUrn(topic.urn, subscription.id),
        }),
      state: row.state,
      attemptCount: row.attempts,
      attempts: lastAttempt
        ? [...row.earlierAttempts, lastAttempt]
        : row.earlierAttempts,
      ...pickSet(row, "nextAttemptAt"),
      ...pickSet(row, "externalId"),
      ...pickSet(row, "provider"),
      ...pickSet(row, "segments"),
    };
  }
}

function applyReceipt(row: DeliveryRow, receipt: Receipt): DeliveryRow {
  const state = nextState(row.state, receipt.event);
  if (!isSettled(state)) return row;
  const { nextAttemptAt: _, hold: _ended, ...rest } = row;
  return { ...rest, state };
}

/** Nobody's again; what its last holder still writes comes too late. */
function freed<Row extends ChunkRow | DeliveryRow>({
  hold: _,
  ...row
}: Row): Omit<Row, "hold"> {
  return { ...row, fence: row.fence + 1 };
}

function toRecipient(subscription: Subscription): Recipient {
  const { seq, id, protocol, endpoint, extension } = subscription;
  return {
    target: seq,
    protocol,
    endpoint,
    subscriptionId: id,
    ...(Object.keys(extension).length > 0 && { extension }),
  };
}

function toChunk(row: ChunkRow): Chunk {
  const { messageSeq, afterTarget, uptoTarget, fence } = row;
  return { messageSeq, afterTarget, uptoTarget, fence };
}

function chunkKey(chunk: Pick<Chunk, "messageSeq" | "afterTarget">): string {
  return `${chunk.messageSeq}/${chunk.afterTarget}`;
}

function deliveryKey(
  row: Pick<DeliveryOutcome, "messageSeq" | "target">,
): string {
  return `${row.messageSeq}/${row.target}`;
}

/** The member if it is set; nothing otherwise. */
function pickSet<Row extends object, Name extends keyof Row>(
  row: Row,
  name: Name,
): { [K in Name]?: Exclude<Row[K], undefined> } {
  const value = row[name];
  return value === undefined
    ? {}
    : ({ [name]: value } as { [K in Name]: Exclude<Row[K], undefined> });
}
