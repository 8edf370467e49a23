/** Messages, chunks, deliveries and receipts of the in-memory store. */

import {
  type Attempt,
  type Chunk,
  type ChunkOutcome,
  type ClaimedDelivery,
  type Delivery,
  type DeliveryOutcome,
  type DeliveryState,
  deliveryTransitions,
  type FencedOutcome,
  formatSubscriptionUrn,
  type HourlyCount,
  hourMs,
  isSettled,
  type Lease,
  type Message,
  type MessageId,
  type MessageReport,
  type NewMessage,
  nextState,
  type ProjectId,
  type Receipt,
  type Recipient,
  type Subscription,
} from "@carillon/core";
import {
  isActive,
  isDeleted,
  type MemoryDirectory,
} from "./memory-directory.ts";

type DirectRecipient = Pick<Recipient, "protocol" | "endpoint">;

interface ChunkRow extends Chunk {
  readonly owner: string | undefined;
  /** 0: nobody holds it. */
  readonly leaseUntil: number;
}

interface DeliveryRow extends DeliveryOutcome {
  readonly billable: boolean;
  readonly round?: number;
  readonly fence: number;
  readonly earlierAttempts: readonly Attempt[];
}

export class MemoryLedger {
  readonly #directory: MemoryDirectory;
  readonly #messages = new Map<number, Message>();
  readonly #recipients = new Map<number, readonly DirectRecipient[]>();
  readonly #chunks = new Map<string, ChunkRow>();
  readonly #deliveries = new Map<string, DeliveryRow>();
  /** Counts of deliveries that came to rest, by topic. */
  readonly #statistics = new Map<number, HourlyCount[]>();
  /** Receipts whose id no delivery has yet. */
  #orphans: Receipt[] = [];

  constructor(directory: MemoryDirectory) {
    this.#directory = directory;
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
    now: number,
    limit: number,
  ): { chunk: Chunk; message: Message }[] {
    return [...this.#chunks.values()]
      .filter((row) => row.leaseUntil <= now)
      .sort(
        (a, b) => a.messageSeq - b.messageSeq || a.afterTarget - b.afterTarget,
      )
      .slice(0, limit)
      .map((row) => {
        const claimed = this.#putChunk({
          ...row,
          fence: row.fence + 1,
          owner: lease.owner,
          leaseUntil: lease.until,
        });
        return { chunk: toChunk(claimed), message: this.#get(row.messageSeq) };
      });
  }

  readAudience(chunk: Chunk, limit: number): Recipient[] {
    const topicSeq = this.#messages.get(chunk.messageSeq)?.topic?.seq ?? 0;
    return this.#directory
      .listActive(topicSeq)
      .filter(
        ({ seq }) =>
          seq > chunk.afterTarget &&
          seq <= (chunk.uptoTarget ?? Number.POSITIVE_INFINITY),
      )
      .slice(0, limit)
      .map((subscription) => ({
        ...toRecipient(subscription),
        ...pickSet(subscription, "filterPolicies"),
      }));
  }

  splitChunk(
    chunk: Chunk,
    uptoTarget: number,
    lease: Lease | undefined,
  ): { chunk: Chunk; rest: Chunk } | undefined {
    const row = this.#held(chunk);
    if (row?.uptoTarget !== undefined || !row) return undefined;
    if (uptoTarget <= row.afterTarget) return undefined;
    const front = this.#putChunk({ ...row, uptoTarget });
    const rest = this.#addChunk(row.messageSeq, uptoTarget, lease);
    return { chunk: toChunk(front), rest: toChunk(rest) };
  }

  completeChunk(chunk: Chunk, outcomes: readonly ChunkOutcome[]): boolean {
    if (!this.#held(chunk)) return false;
    this.#chunks.delete(chunkKey(chunk));
    for (const outcome of outcomes) {
      const { billable = false, fence = 0 } = outcome;
      const known = this.#deliveries.get(deliveryKey(outcome));
      // A run of the chunk before this one got further: its word stands.
      if (known && isSettled(known.state)) continue;
      if (!known && isSettled(outcome.state)) this.#countSettled(outcome);
      this.#writeOutcome(
        known ?? { ...outcome, billable, fence, earlierAttempts: [] },
        outcome,
      );
    }
    return true;
  }

  releaseChunk(chunk: Chunk): void {
    const row = this.#held(chunk);
    if (row) this.#putChunk({ ...row, owner: undefined, leaseUntil: 0 });
  }

  extendLeases(lease: Lease): void {
    for (const row of this.#chunks.values()) {
      if (row.owner === lease.owner) {
        this.#putChunk({ ...row, leaseUntil: lease.until });
      }
    }
  }

  claimDue(lease: Lease, now: number, limit: number): ClaimedDelivery[] {
    const claimed: ClaimedDelivery[] = [];
    for (const row of this.#dueRows(now)) {
      if (claimed.length === limit) break;
      const fence = row.fence + 1;
      const recipient = this.#recipientToTry(row);
      if (recipient === undefined) {
        const { nextAttemptAt: _, ...rest } = row;
        const error =
          "An earlier round of the notify policy delivered the message.";
        const isExplained = row.attempts === 0 && this.#isEscalationOver(row);
        this.#putDelivery({
          ...rest,
          state: "cancelled",
          fence,
          ...(isExplained && {
            lastAttempt: { at: now, durationMs: 0, error },
          }),
        });
        continue;
      }
      this.#putDelivery({
        ...row,
        state: "sending",
        nextAttemptAt: lease.until,
        fence,
      });
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

  /** `at`: when it was found that their leases had ended by `now`. */
  settleInterrupted(now: number, at = now): number {
    const rows = [...this.#deliveries.values()].filter(
      (row) => isSendingBillable(row) && (row.nextAttemptAt ?? now) <= now,
    );
    for (const { nextAttemptAt: _, ...row } of rows) {
      const state = nextState(row.state, "lose");
      this.#putDelivery({ ...row, state });
      this.#countSettled({ ...row, state }, at);
    }
    return rows.length;
  }

  recordOutcomes(outcomes: readonly FencedOutcome[]): void {
    for (const outcome of outcomes) {
      const row = this.#deliveries.get(deliveryKey(outcome));
      if (!row || row.fence !== outcome.fence) continue;
      const { previousAttempt } = outcome;
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

  nextDueAt(): number | undefined {
    let first: number | undefined;
    for (const row of this.#deliveries.values()) {
      if (row.nextAttemptAt === undefined || isSendingBillable(row)) continue;
      first = Math.min(first ?? row.nextAttemptAt, row.nextAttemptAt);
    }
    return first;
  }

  hasUnclaimedChunks(now: number): boolean {
    return [...this.#chunks.values()].some((row) => row.leaseUntil <= now);
  }

  releaseAllLeases(now: number): void {
    for (const row of this.#chunks.values()) {
      this.#putChunk({ ...row, owner: undefined, leaseUntil: 0 });
    }
    this.settleInterrupted(Number.POSITIVE_INFINITY, now);
    for (const row of this.#deliveries.values()) {
      if (row.state === "sending") {
        this.#putDelivery({ ...row, nextAttemptAt: now });
      }
    }
  }

  /**
   * A topic went away: nothing more of it is started. An attempt that is under way
   * cannot be taken back; its outcome is still written.
   */
  cancelTopic(topicSeq: number): void {
    this.#statistics.delete(topicSeq);
    const isOfTopic = ({ messageSeq }: { readonly messageSeq: number }) => {
      const message = this.#get(messageSeq);
      return message.topic?.seq === topicSeq;
    };
    for (const row of this.#chunks.values()) {
      if (isOfTopic(row)) this.#chunks.delete(chunkKey(row));
    }
    for (const row of this.#deliveries.values()) {
      if (!isOfTopic(row)) continue;
      if (row.state !== "waiting" && row.state !== "retrying") continue;
      const { nextAttemptAt: _, ...rest } = row;
      this.#putDelivery({ ...rest, state: nextState(row.state, "cancel") });
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
      owner: lease?.owner,
      leaseUntil: lease?.until ?? 0,
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

  #addDueDelivery(
    messageSeq: number,
    target: number,
    at: number,
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
  #dueRows(now: number): DeliveryRow[] {
    const dueAt = (row: DeliveryRow) =>
      row.nextAttemptAt ?? Number.POSITIVE_INFINITY;
    return [...this.#deliveries.values()]
      .filter((row) => dueAt(row) <= now && !isSendingBillable(row))
      .sort((a, b) => dueAt(a) - dueAt(b));
  }

  /** `undefined`: nobody wants this message at that endpoint any more. */
  #recipientToTry(row: DeliveryRow): Recipient | undefined {
    const { messageSeq, target } = row;
    const direct = this.#recipients.get(messageSeq)?.[target];
    if (direct) {
      return { target, protocol: direct.protocol, endpoint: direct.endpoint };
    }
    const subscription = this.#directory.subscriptions.get(target);
    if (!subscription) return undefined;
    // Confirmations go to the unconfirmed, unsubscribe notices to those who left.
    const isWanted =
      this.#get(messageSeq).audience === "subscription"
        ? !isDeleted(subscription)
        : isActive(subscription) && !this.#isEscalationOver(row);
    return isWanted ? toRecipient(subscription) : undefined;
  }

  /** Whether an earlier round delivered the message. */
  #isEscalationOver({ messageSeq, round = 1 }: DeliveryRow): boolean {
    return this.#deliveriesOf(messageSeq).some(
      (it) =>
        it.round !== undefined && it.round < round && it.state === "delivered",
    );
  }

  /** Writes an outcome, and the receipts that came before the id they name. */
  #writeOutcome(row: DeliveryRow, outcome: DeliveryOutcome): void {
    const state = mergeStates(row.state, outcome.state);
    if (!isSettled(row.state) && isSettled(state)) {
      this.#countSettled({ ...outcome, state });
    }
    const { nextAttemptAt: _, ...kept } = row;
    const { nextAttemptAt } = outcome;
    let merged: DeliveryRow = {
      ...kept,
      state,
      attempts: outcome.attempts,
      ...pickSet(outcome, "lastAttempt"),
      ...pickSet(outcome, "externalId"),
      ...pickSet(outcome, "provider"),
      ...pickSet(outcome, "segments"),
      ...(!isSettled(state) &&
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

/**
 * The state of a delivery for which an outcome is reported. What is open may
 * become anything; what is settled only what the table allows.
 */
function mergeStates(known: DeliveryState, reported: DeliveryState) {
  const isAllowed =
    !isSettled(known) ||
    Object.values(deliveryTransitions[known]).includes(reported);
  return isAllowed ? reported : known;
}

function applyReceipt(row: DeliveryRow, receipt: Receipt): DeliveryRow {
  const { nextAttemptAt: _, ...rest } = row;
  return { ...rest, state: nextState(row.state, receipt.event) };
}

/** Only a receipt or an operator may say more of a billable attempt under way. */
function isSendingBillable(row: DeliveryRow): boolean {
  return row.billable && row.state === "sending";
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
