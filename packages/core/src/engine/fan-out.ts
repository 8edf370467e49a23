/**
 * Second step: walk a topic's subscribers in chunks. The outcome of each
 * delivery is written once, together with hundreds of others, in the
 * transaction that ends the chunk (the fast path). What did not answer soon or
 * must wait is deferred in the same transaction as a row of its own.
 *
 * Crash while a chunk is worked: its outcomes are not written, its lease ends,
 * and whoever claims it next tries its recipients again; at most what was in
 * flight arrives twice. Crash after the chunk's commit: nothing is left to do.
 * Crash between a split and the rest's work: the rest is a chunk on disk.
 */

import type { Message } from "../messages/message.ts";
import type { BindingStore } from "../ports/binding-store.ts";
import type { Channel, Recipient } from "../ports/channel.ts";
import type { Clock } from "../ports/clock.ts";
import type { ContentSeal } from "../ports/content-seal.ts";
import type { WrittenDelivery } from "../ports/delivery-listener.ts";
import type {
  Chunk,
  ChunkOutcome,
  DeliveryStore,
  FencedOutcome,
  Lease,
} from "../ports/delivery-store.ts";
import type { Logger } from "../ports/logger.ts";
import type { Protocol } from "../subscriptions/protocol.ts";
import { Escalation } from "./escalation.ts";
import type { OutcomeLedger } from "./ledger.ts";
import { MessageFilter } from "./message-filter.ts";
import { outcomeWithoutTry, type SendItem } from "./outcome.ts";
import { persist } from "./persist.ts";
import type { ChunkIntake } from "./publish.ts";
import type { Sender, SlowAttempt } from "./sender.ts";

export interface FanOutPorts {
  readonly store: Pick<
    DeliveryStore,
    | "claimChunks"
    | "readAudience"
    | "splitChunk"
    | "completeChunk"
    | "releaseChunk"
  > &
    Pick<BindingStore, "findBinding">;
  readonly sender: Sender;
  readonly ledger: OutcomeLedger;
  readonly seal: ContentSeal;
  readonly channels: ReadonlyMap<Protocol, Channel>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly newLease: () => Lease;
  readonly isAbandoned: () => boolean;
  /** A delivery was deferred until then (epoch ms). */
  readonly onDeferred: (at: number) => void;
}

export interface FanOutOptions {
  /** Recipients of one chunk. */
  readonly chunkSize: number;
  /** Chunks in work at once. */
  readonly maxChunks: number;
  /** How long a deferred recipient whose lane was full waits; milliseconds. */
  readonly laneRetryMs: number;
  /** Added to a slow attempt's deadline to get the end of its lease. */
  readonly leaseGraceMs: number;
}

interface Work {
  readonly chunk: Chunk;
  readonly message: Message;
}

export class FanOut implements ChunkIntake {
  readonly #ports: FanOutPorts;
  readonly #options: FanOutOptions;
  /** Chunks this engine holds and has not begun. */
  readonly #ready: Work[] = [];
  readonly #filter = new MessageFilter();
  #chunks = 0;
  /** There may be chunks in the store that nobody holds. */
  #backlog = false;
  #claiming = false;
  #open = true;
  #idle: (() => void)[] = [];

  constructor(ports: FanOutPorts, options: FanOutOptions) {
    this.#ports = ports;
    this.#options = options;
    ports.sender.onRoom = () => this.#pump();
  }

  get activeChunks(): number {
    return this.#chunks;
  }

  /** A publisher's chunk goes straight to work when nobody is before it. */
  reserve(): Lease | undefined {
    if (!this.#open || this.#backlog || !this.#hasRoom()) return undefined;
    this.#chunks++;
    return this.#ports.newLease();
  }

  take(work: Work | undefined): void {
    if (work === undefined) this.#leave();
    else void this.#work(work);
  }

  /** There may be work in the store. */
  wake(): void {
    this.#backlog = true;
    this.#pump();
  }

  /**
   * Begins no more chunks, gives back those not begun, and resolves when the
   * rest is written.
   */
  async drain(): Promise<void> {
    this.#open = false;
    for (const { chunk } of this.#ready.splice(0)) {
      await this.#ports.store.releaseChunk(chunk);
    }
    if (this.#chunks === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #hasRoom(): boolean {
    return this.#chunks < this.#options.maxChunks && this.#ports.sender.hasRoom;
  }

  #pump(): void {
    while (this.#open && this.#hasRoom()) {
      const work = this.#ready.shift();
      if (work === undefined) break;
      this.#chunks++;
      void this.#work(work);
    }
    if (this.#open && this.#backlog && this.#hasRoom()) void this.#claim();
  }

  async #claim(): Promise<void> {
    if (this.#claiming) return;
    this.#claiming = true;
    const limit = Math.max(
      1,
      Math.min(64, this.#options.maxChunks - this.#chunks),
    );
    try {
      this.#backlog = false;
      const claimed = await this.#ports.store.claimChunks(
        this.#ports.newLease(),
        this.#ports.clock.now(),
        limit,
      );
      if (claimed.length === limit) this.#backlog = true;
      this.#ready.push(...claimed);
    } catch (error) {
      // The sweeper asks again.
      this.#ports.logger.error("claim_failed", { error: String(error) });
      this.#backlog = false;
    } finally {
      this.#claiming = false;
    }
    if (this.#open) this.#pump();
    else await this.drain();
  }

  /** Works one chunk to its end; counted in `#chunks` by the caller. */
  async #work({ chunk, message: kept }: Work): Promise<void> {
    try {
      const message = this.#ports.seal.open(kept);
      const { chunkSize } = this.#options;
      const audience = await this.#ports.store.readAudience(
        chunk,
        chunkSize + 1,
      );
      const mine =
        audience.length > chunkSize
          ? this.#split({ chunk, message }, audience)
          : Promise.resolve(chunk);
      await this.#deliver(
        message,
        audience.length > chunkSize ? audience.slice(0, chunkSize) : audience,
        mine,
      );
    } catch (error) {
      this.#ports.logger.error("chunk_failed", {
        messageId: kept.id,
        error: String(error),
      });
      // Whoever looks next claims it; if even this fails, once its lease ends.
      await this.#ports.store.releaseChunk(chunk).catch(() => {});
    } finally {
      this.#leave();
    }
  }

  /**
   * Cuts the chunk behind its first `chunkSize` recipients. Runs while those
   * are being tried: should it fail, the chunk is tried again as it was.
   */
  async #split(
    { chunk, message }: Work,
    audience: readonly Recipient[],
  ): Promise<Chunk | undefined> {
    const last = audience[this.#options.chunkSize - 1];
    if (last === undefined) return chunk;
    const parts = await persist(this.#ports, "split", () =>
      this.#ports.store.splitChunk(chunk, last.target, this.#ports.newLease()),
    );
    if (parts === undefined) return undefined;
    if (this.#open) {
      this.#ready.push({ chunk: parts.rest, message });
      this.#pump();
    } else await this.#ports.store.releaseChunk(parts.rest);
    return parts.chunk;
  }

  async #deliver(
    message: Message,
    audience: readonly Recipient[],
    chunk: Promise<Chunk | undefined>,
  ): Promise<void> {
    const { clock, ledger } = this.#ports;
    const outcomes: ChunkOutcome[] = [];
    const items: SendItem[] = [];
    let deferredUntil = Number.POSITIVE_INFINITY;
    const defer = (outcome: ChunkOutcome, until: number) => {
      deferredUntil = Math.min(deferredUntil, until);
      outcomes.push({ ...outcome, nextAttemptAt: until });
    };
    const escalation = await this.#escalationOf(message);
    const left: WrittenDelivery[] = [];
    const reasonToFilter = this.#filter.of(message);
    for (const recipient of audience) {
      const item = {
        message,
        recipient,
        state: "waiting" as const,
        attempts: 0,
      };
      const reason = reasonToFilter(recipient);
      if (reason !== undefined) {
        const outcome = filtered(item, reason, clock.now());
        outcomes.push(outcome);
        left.push({ item, outcome });
        continue;
      }
      const isBillable =
        this.#ports.channels.get(recipient.protocol)?.billable ?? false;
      const round = escalation?.roundOf(recipient);
      if (escalation && round !== undefined && round > 1) {
        // Its claim finds out whether it is still needed.
        defer(
          { ...waiting(item), billable: isBillable, round },
          escalation.beginOf(round),
        );
      } else if (isBillable) {
        // Only a claim, whose intent is on disk, may start what costs money.
        const outcome = { ...waiting(item), billable: true };
        defer(round ? { ...outcome, round } : outcome, clock.now());
      } else items.push(item);
    }
    const report = await this.#ports.sender.send(items);
    const inRound = (item: SendItem, outcome: ChunkOutcome): ChunkOutcome => {
      const round = escalation?.roundOf(item.recipient);
      return round === undefined ? outcome : { ...outcome, round };
    };
    for (const { item, outcome } of report.finished) {
      outcomes.push(escalation ? inRound(item, outcome) : outcome);
      if (outcome.nextAttemptAt !== undefined) {
        deferredUntil = Math.min(deferredUntil, outcome.nextAttemptAt);
      }
    }
    for (const item of report.unstarted) {
      const until = clock.now() + this.#options.laneRetryMs;
      defer(inRound(item, waiting(item)), until);
    }
    for (const slow of report.slowAttempts) {
      outcomes.push(inRound(slow.item, this.#leased(slow)));
    }
    const mine = await chunk;
    if (mine === undefined) return;
    const kept = await persist(this.#ports, "chunk", () =>
      this.#ports.store.completeChunk(mine, outcomes),
    );
    if (!kept) {
      this.#ports.logger.warn("lease_lost", { messageId: message.id });
      return;
    }
    ledger.count(outcomes);
    ledger.tell(left);
    ledger.tell(report.finished);
    if (deferredUntil < Number.POSITIVE_INFINITY) {
      this.#ports.onDeferred(deferredUntil);
    }
    for (const slow of report.slowAttempts) {
      ledger.recordLate(slow, fenceOfChunks);
    }
  }

  /** `undefined` for topics without a notify policy. */
  async #escalationOf({
    topic,
    createdAt,
  }: Message): Promise<Escalation | undefined> {
    if (topic === undefined) return undefined;
    const { store } = this.#ports;
    const binding = await store.findBinding(topic.seq, "notifyPolicy");
    return binding && new Escalation(binding.data, createdAt);
  }

  /** The row of an attempt that is still under way. */
  #leased({
    item,
    startedAt,
    deadlineAt,
  }: SlowAttempt<SendItem>): ChunkOutcome {
    return {
      messageSeq: item.message.seq,
      target: item.recipient.target,
      state: "sending",
      attempts: 0,
      lastAttempt: { at: startedAt, durationMs: 0 },
      nextAttemptAt: deadlineAt + this.#options.leaseGraceMs,
      fence: fenceOfChunks,
    };
  }

  #leave(): void {
    this.#chunks--;
    this.#pump();
    if (this.#chunks === 0) for (const tell of this.#idle.splice(0)) tell();
  }
}

/** Fence of rows that a chunk wrote: any later claim has a higher one. */
const fenceOfChunks: FencedOutcome["fence"] = 0;

function filtered(item: SendItem, error: string, now: number): ChunkOutcome {
  const reason = { errorClass: "filtered", error } as const;
  return outcomeWithoutTry(item, "filter", reason, now);
}

function waiting(item: SendItem): ChunkOutcome {
  return {
    messageSeq: item.message.seq,
    target: item.recipient.target,
    state: "waiting",
    attempts: 0,
  };
}
