/**
 * An open stream of a mailbox: hands out what is leased for it, in the order of its
 * events. Never more than its credit is handed out and not settled, and as long as
 * the output takes nothing only leases wait in memory.
 *
 * When it ends, what was handed out stays leased, for whoever resumes it; what was
 * not is given back.
 */

import { Backoff } from "../engine/backoff.ts";
import type { DeadlineEntry, DeadlineQueue } from "../engine/deadline-queue.ts";
import { isPermanent } from "../errors.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import {
  type LeaseKey,
  type MessageLease,
  maxEventsOfStream,
} from "../ports/message-queue-store.ts";
import type { EpochMs } from "../time.ts";
import { toLeaseId } from "./lease-id.ts";
import type { MailboxStream, StreamEnd, StreamOutput } from "./mailboxes.ts";
import type { MessageContents } from "./message-contents.ts";
import type { Consumer } from "./waiting-consumers.ts";

export interface OpenStreamPorts {
  readonly output: StreamOutput;
  readonly contents: Pick<MessageContents, "read">;
  /** Its streams are looked at in these intervals. */
  readonly beats: DeadlineQueue<OpenStream>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  /** They were not handed out: they wait again, and are not counted. */
  readonly giveBack: (leases: readonly MessageLease[]) => void;
  /** They were, or cannot be read: they wait again after a while, and count. */
  readonly release: (leases: readonly LeaseKey[], delayMs: number) => void;
  /** It takes more than it did. */
  readonly onWantsMore: () => void;
  readonly onEnd: (stream: OpenStream) => void;
}

export interface OpenStreamOptions {
  readonly leaseMs: number;
  readonly credit: number;
  /** As the store opened it. */
  readonly number: number;
  /** Name of the mailbox. */
  readonly mailbox: string;
}

/** Milliseconds between two looks at a stream; in each it shows that it lives. */
export const streamBeatMs = 15_000;

/** An output that takes nothing for so long is cut off; milliseconds. */
const maxBlockedMs = 30_000;

/** Credentials are asked for again after so many milliseconds. */
const renewAfterMs = 600_000;

/** Leases that it asks for at once. */
const maxWanted = 100;

/** Messages that it hands out in one turn of the event loop. */
const perTurn = 16;

/** Milliseconds between two looks for leases that ended, at least. */
const slackMs = 20;

/** When what cannot be read is looked at again; milliseconds. */
export const unreadableDelayMs = 60_000;

/** A lease whose message was handed out. */
interface HandedOut {
  readonly lease: LeaseKey;
  readonly at: EpochMs;
  until: EpochMs;
}

export class OpenStream
  implements Consumer, MailboxStream, DeadlineEntry<OpenStream>
{
  deadlineAt = 0;
  earlier: OpenStream | undefined = undefined;
  later: OpenStream | undefined = undefined;
  readonly leaseMs: number;
  readonly #ports: OpenStreamPorts;
  readonly #mailbox: string;
  readonly #renewAt: number;
  readonly #backoff: Backoff;
  #credit: number;
  /** Not handed out yet, in order. */
  #claims: MessageLease[] = [];
  /** Handed out and not settled, by lease id. */
  readonly #handedOut = new Map<string, HandedOut>();
  /** When its consumer last did something with a lease. */
  #heardAt = Number.NEGATIVE_INFINITY;
  /** Of the last one that it got; at first the one before all of its own. */
  #eventId: number;
  #isOpen = true;
  #isHandingOut = false;
  /** Since when the output takes nothing; monotonic. */
  #blockedAt: number | undefined;
  /** Something was sent since the last beat. */
  #isLively = false;
  /** Set while it waits for a lease to end, or to read again. */
  #timer: Timer | undefined;

  constructor(ports: OpenStreamPorts, options: OpenStreamOptions) {
    this.#ports = ports;
    this.#eventId = options.number;
    this.leaseMs = options.leaseMs;
    this.#credit = options.credit;
    this.#mailbox = options.mailbox;
    this.#backoff = new Backoff(ports.random);
    this.#renewAt = ports.clock.monotonic() + renewAfterMs;
    ports.beats.add(this);
    ports.output.begin(options.number);
  }

  get wanted(): number {
    const isTaking = this.#isOpen && this.#blockedAt === undefined;
    if (!isTaking || this.#isUsedUp) return 0;
    const wanted = this.#room - this.#claims.length;
    return Math.min(Math.max(wanted, 0), maxWanted);
  }

  get stream(): number {
    return this.#eventId;
  }

  /** Whether an event is one of this stream. */
  hasEvent(eventId: number): boolean {
    const streamOf = (id: number) => Math.floor(id / maxEventsOfStream);
    return streamOf(eventId) === streamOf(this.#eventId);
  }

  take(leases: readonly MessageLease[]): void {
    if (!this.#isOpen) {
      this.#ports.giveBack(leases);
      return;
    }
    this.#eventId = leases.at(-1)?.eventId ?? this.#eventId;
    this.#claims.push(...leases);
    void this.#handOut();
  }

  /** It stays, for what comes. */
  onNothing(): void {}

  onFailure(error: unknown): void {
    // It is asked for again otherwise, when the store is back.
    if (isPermanent(error)) this.end("renew");
  }

  drained(): void {
    this.#blockedAt = undefined;
    this.#goOn();
  }

  setCredit(credit: number): void {
    this.#credit = credit;
    this.#goOn();
  }

  /** These leases are over. */
  settled(keys: readonly LeaseKey[]): void {
    let isChanged = false;
    for (const key of keys) {
      if (this.#handedOut.delete(toLeaseId(key))) isChanged = true;
    }
    if (!isChanged) return;
    this.#heardAt = this.#ports.clock.now();
    this.#goOn();
  }

  /** Leases of these messages are over. */
  confirmed(messageSeqs: ReadonlySet<number>): void {
    const isOver = (it: LeaseKey) => messageSeqs.has(it.messageSeq);
    this.#claims = this.#claims.filter((it) => !isOver(it));
    this.settled(this.#keys.filter(isOver));
  }

  /** Their leases end later, or earlier, than they did. */
  extended(keys: readonly LeaseKey[], until: EpochMs): void {
    for (const id of keys.map(toLeaseId)) {
      const handedOut = this.#handedOut.get(id);
      if (!handedOut) continue;
      handedOut.until = until;
      this.#heardAt = this.#ports.clock.now();
    }
  }

  close({ giveBack = false }: { readonly giveBack?: boolean } = {}): void {
    if (!this.#close() || !giveBack) return;
    this.#ports.release(this.#keys, 0);
  }

  end(reason: StreamEnd): void {
    // Whoever resumes it gets them, too.
    if (reason === "resumed_elsewhere") this.#claims = [];
    if (this.#close()) this.#ports.output.end(reason);
  }

  /** It is time to show that it lives, or to end. */
  expire(): void {
    const { clock, output, beats } = this.#ports;
    const now = clock.monotonic();
    const isSilent = this.#dropLapsed();
    if (now >= this.#renewAt || isSilent) this.end("renew");
    else if (this.#blockedAt === undefined) {
      if (!this.#isLively) output.beat();
      this.#isLively = false;
    } else if (now - this.#blockedAt >= maxBlockedMs) {
      const blockedMs = now - this.#blockedAt;
      const mailbox = this.#mailbox;
      this.#ports.logger.warn("stream_blocked", { mailbox, blockedMs });
      this.end("blocked");
    }
    if (this.#isOpen) beats.add(this);
  }

  get #keys(): LeaseKey[] {
    return [...this.#handedOut.values()].map(({ lease }) => lease);
  }

  /** How many more may be handed out. */
  get #room(): number {
    return this.#credit - this.#handedOut.size;
  }

  /** There are no numbers left for as many events as it may ask for. */
  get #isUsedUp(): boolean {
    return (this.#eventId % maxEventsOfStream) + maxWanted >= maxEventsOfStream;
  }

  get #canHandOut(): boolean {
    const isTaking = this.#isOpen && this.#blockedAt === undefined;
    return isTaking && this.#claims.length > 0 && this.#room > 0;
  }

  #goOn(): void {
    void this.#handOut();
    if (this.wanted > 0) this.#ports.onWantsMore();
  }

  /** Hands out what it may; never rejects. */
  async #handOut(): Promise<void> {
    if (this.#isHandingOut) return;
    this.#isHandingOut = true;
    try {
      for (let n = 1; this.#canHandOut; n++) {
        await this.#handOutFirst();
        if (n % perTurn === 0) await this.#ports.clock.nextTurn();
      }
      this.#backoff.reset();
    } catch (error) {
      this.#ports.logger.warn("stream_failed", { error });
      if (isPermanent(error)) this.end("renew");
      else this.#goOnIn(this.#backoff.next());
    } finally {
      this.#isHandingOut = false;
    }
    if (!this.#isOpen) return;
    if (this.#isUsedUp && this.#claims.length === 0) this.end("renew");
    else if (this.wanted > 0) this.#ports.onWantsMore();
    else if (this.#room <= 0) this.#awaitLeaseEnd();
  }

  async #handOutFirst(): Promise<void> {
    const { clock, contents, output, release } = this.#ports;
    const lease = this.#claims[0];
    if (lease === undefined) return;
    // It waited here for too long, and comes again.
    if (lease.until <= clock.now()) {
      this.#claims.shift();
      return;
    }
    const message = await contents.read(lease);
    // Meanwhile it may have ended, or got less credit, or the lease is settled.
    if (!this.#canHandOut || this.#claims[0] !== lease) return;
    this.#claims.shift();
    if (message === undefined) {
      release([lease], unreadableDelayMs);
      return;
    }
    const { until } = lease;
    const at = clock.now();
    this.#handedOut.set(toLeaseId(lease), { lease, at, until });
    this.#isLively = true;
    // Each lease of a stream has one.
    const { eventId = 0 } = lease;
    if (!output.deliver(message, eventId) && this.#isOpen) {
      this.#blockedAt = clock.monotonic();
    }
  }

  /** What is not settled in time gives its place to others. */
  #awaitLeaseEnd(): void {
    if (this.#timer || this.#handedOut.size === 0) return;
    let first = Number.POSITIVE_INFINITY;
    for (const { until } of this.#handedOut.values()) {
      first = Math.min(first, until);
    }
    this.#goOnIn(Math.max(first - this.#ports.clock.now(), slackMs));
  }

  #goOnIn(ms: number): void {
    const { clock } = this.#ports;
    this.#timer?.cancel();
    this.#timer = clock.setTimer(ms, () => {
      this.#timer = undefined;
      if (this.#dropLapsed()) {
        this.end("renew");
        return;
      }
      this.#goOn();
      if (this.#room <= 0) this.#awaitLeaseEnd();
    });
  }

  /**
   * Leases that ended give their places to others. True: its consumer did nothing
   * with any lease for as long as one of these was. The line may be dead, and what
   * is handed out again and again would end on the dead-letter list.
   */
  #dropLapsed(): boolean {
    const now = this.#ports.clock.now();
    let isSilent = false;
    for (const [id, { at, until }] of this.#handedOut) {
      if (until > now) continue;
      this.#handedOut.delete(id);
      if (this.#heardAt < at) isSilent = true;
    }
    return isSilent;
  }

  #close(): boolean {
    if (!this.#isOpen) return false;
    this.#isOpen = false;
    this.#timer?.cancel();
    this.#ports.beats.remove(this);
    const claims = this.#claims.splice(0);
    if (claims.length > 0) this.#ports.giveBack(claims);
    this.#ports.onEnd(this);
    return true;
  }
}
