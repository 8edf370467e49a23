/** Puts together what serves mailboxes; see `mailboxes.ts` for what it promises. */

import { DeadlineQueue } from "../engine/deadline-queue.ts";
import { CarillonError } from "../errors.ts";
import type { ProjectId } from "../ids.ts";
import type { Clock } from "../ports/clock.ts";
import { type ContentSeal, noSeal } from "../ports/content-seal.ts";
import type { DeliveryStore } from "../ports/delivery-store.ts";
import type { IdentityStore } from "../ports/identity-store.ts";
import type { Logger } from "../ports/logger.ts";
import type {
  LeaseKey,
  MessageLease,
  MessageQueueStore,
  QueueOutcomes,
  SettledMessage,
} from "../ports/message-queue-store.ts";
import type { PublisherStore } from "../ports/publisher-store.ts";
import type { StoreChange, StoreChanges } from "../ports/store-changes.ts";
import type { Protocols } from "../subscriptions/protocol.ts";
import { isOpenProject } from "./account.ts";
import { LeaseEnds } from "./lease-ends.ts";
import { LeaseSettlements } from "./lease-settlements.ts";
import type { MailboxAccount } from "./mailbox.ts";
import {
  type Mailboxes,
  type PulledMessage,
  type PullSettings,
  pullLimits,
  type ReceiveOptions,
  type SettledLeases,
  type StreamEnd,
  type StreamOptions,
  type StreamOutput,
} from "./mailboxes.ts";
import { MessageContents } from "./message-contents.ts";
import { MessagePoll } from "./message-poll.ts";
import { OpenStream, streamBeatMs, unreadableDelayMs } from "./open-stream.ts";
import type { QueueEvent } from "./queue-event.ts";
import { type Consumer, WaitingConsumers } from "./waiting-consumers.ts";

/** What the service of mailboxes works with. */
export interface MailboxesPorts {
  readonly store: MessageQueueStore &
    Pick<DeliveryStore, "findMessageBySeq"> &
    Pick<PublisherStore, "findCategoryNames"> &
    Pick<IdentityStore, "findProject" | "findDomain"> &
    StoreChanges;
  /** Default: nothing is sealed. */
  readonly seal?: ContentSeal;
  readonly protocols: Pick<Protocols, "find">;
  /** A steady one. */
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  /** Counts; never throws. Default: nobody does. */
  readonly onEvent?: (event: QueueEvent, messages: number) => void;
  /** Told what came to its end here; never throws. Default: nobody is. */
  readonly onSettled?: (messages: readonly SettledMessage[]) => void;
}

/** Mailboxes as their owner has them. Disposing drains, and waits for the store. */
export interface MailboxService extends Mailboxes, AsyncDisposable {
  /** Begins to look for what is leased and what comes; call it once. */
  start(): void;
}

/** Consumers that wait or have a stream open: at one mailbox, and in all. */
const maxOfMailbox = 64;
const maxInAll = 20_000;

/** Streams that were resumed, as far as they are remembered. */
const maxResumptions = 10_000;

/** Builds the service; nothing runs before {@link MailboxService.start}. */
export function createMailboxes(
  ports: MailboxesPorts,
  settings: () => PullSettings,
): MailboxService {
  return new StoredMailboxes(ports, settings);
}

class StoredMailboxes implements MailboxService {
  readonly #ports: MailboxesPorts;
  readonly #settings: () => PullSettings;
  readonly #consumers: WaitingConsumers;
  readonly #ends: LeaseEnds;
  readonly #leases: LeaseSettlements;
  readonly #contents: MessageContents;
  readonly #beats: DeadlineQueue<OpenStream>;
  readonly #count: (event: QueueEvent, messages: number) => void;
  #waiting = 0;
  #streams = 0;
  #isOpen = true;
  #stopWatching = () => {};
  #stopListening = () => {};
  /** Of the mailboxes at which somebody waits. */
  readonly #projects = new Map<number, ProjectId>();
  #stopCounting = () => {};
  /**
   * By mailbox and last event, the stream that went on from there and has the
   * leases: if it broke off before its consumer saw anything of it, that comes again
   * with the same event.
   */
  readonly #resumptions = new Map<string, number>();

  constructor(ports: MailboxesPorts, settings: () => PullSettings) {
    this.#ports = ports;
    this.#settings = settings;
    this.#contents = new MessageContents({ seal: noSeal, ...ports });
    this.#beats = new DeadlineQueue(ports.clock, streamBeatMs);
    const { onEvent } = ports;
    this.#count = (event, messages) => {
      if (messages > 0) onEvent?.(event, messages);
    };
    const maxDeliveries = () => settings().maxDeliveries;
    this.#ends = new LeaseEnds({ ...ports, maxDeliveries });
    this.#leases = new LeaseSettlements({
      ...ports,
      settings,
      streamsAt: (mailbox) => this.#streamsAt(mailbox),
      count: this.#count,
      onUntil: (until) => this.#ends.made(until),
    });
    this.#consumers = new WaitingConsumers({
      ...ports,
      maxDeliveries,
      onLeased: (leases) => this.#onLeased(leases),
    });
  }

  start(): void {
    if (!this.#isOpen) return;
    this.#stopWatching = this.#ports.store.watchMailboxes((mailboxes) =>
      this.#consumers.hint(mailboxes),
    );
    this.#stopCounting = this.#ports.store.watchOutcomes((outcomes) =>
      this.#onOutcomes(outcomes),
    );
    this.#stopListening = this.#ports.store.changes(
      (change) => void this.#onChange(change),
    );
    this.#ends.start();
  }

  async receive(
    mailbox: MailboxAccount,
    options: ReceiveOptions,
  ): Promise<readonly PulledMessage[]> {
    this.#checkOpen();
    checkEnabled(mailbox);
    const { signal } = options;
    if (signal?.aborted) return [];
    const leases = await this.#poll(mailbox, options);
    return await this.#answer(mailbox.seq, leases, signal);
  }

  async receiveLegacy(
    mailbox: MailboxAccount,
    { isPython }: { readonly isPython: boolean },
  ): Promise<readonly PulledMessage[]> {
    this.#checkOpen();
    const { leaseMs, confirmWindowMs, maxDeliveries } = this.#settings();
    const { legacyConfirm } = mailbox;
    const leases = await this.#ports.store.receiveLegacy(
      {
        mailbox: mailbox.seq,
        limit: pullLimits.max,
        leaseMs,
        confirmWindowMs,
        // No other client confirms by a GET of its own accord.
        legacyConfirm:
          legacyConfirm === "auto" && !isPython ? "off" : legacyConfirm,
      },
      this.#ports.clock.now(),
      maxDeliveries,
    );
    this.#onLeased(leases);
    return await this.#answer(mailbox.seq, leases);
  }

  confirm(
    { seq }: MailboxAccount,
    messageSeqs: readonly number[],
    isSuccess: boolean,
  ): Promise<number> {
    return this.#leases.confirm(seq, messageSeqs, isSuccess);
  }

  ack(
    { seq }: MailboxAccount,
    keys: readonly LeaseKey[],
  ): Promise<SettledLeases> {
    return this.#leases.ack(seq, keys);
  }

  nack(
    { seq }: MailboxAccount,
    keys: readonly LeaseKey[],
    delayMs: number,
  ): Promise<SettledLeases> {
    return this.#leases.nack(seq, keys, delayMs);
  }

  extend({ seq }: MailboxAccount, keys: readonly LeaseKey[], leaseMs: number) {
    return this.#leases.extend(seq, keys, leaseMs);
  }

  async stream(
    mailbox: MailboxAccount,
    { credit, leaseMs, lastEventId }: StreamOptions,
    output: StreamOutput,
  ): Promise<OpenStream> {
    this.#checkOpen();
    checkEnabled(mailbox);
    this.#checkRoom(mailbox.seq);
    const { store, clock } = this.#ports;
    const { seq } = mailbox;
    const number = await store.openStream(seq);
    const options = {
      leaseMs: leaseMs ?? this.#settings().leaseMs,
      credit,
      number,
      mailbox: mailbox.name,
    };
    let resumed: readonly MessageLease[] = [];
    if (lastEventId !== undefined) {
      const resumption = `${seq}:${lastEventId}`;
      const after = this.#resumptions.get(resumption) ?? lastEventId;
      // First, so that it hands out none of them any more.
      for (const older of this.#streamsAt(seq)) {
        if (older.hasEvent(after)) older.end("resumed_elsewhere");
      }
      resumed = await store.resumeStream(
        {
          mailbox: seq,
          limit: pullLimits.maxCredit,
          leaseMs: options.leaseMs,
          stream: number,
        },
        after,
        clock.now(),
        this.#settings().maxDeliveries,
      );
      this.#rememberResumption(resumption, number);
      this.#onLeased(resumed);
    }
    try {
      // Others may have come meanwhile.
      this.#checkOpen();
      this.#checkRoom(seq);
    } catch (error) {
      this.#leases.giveBack(seq, resumed);
      throw error;
    }
    const stream = this.#addStream(mailbox, options, output);
    if (resumed.length > 0) stream.take(resumed);
    void this.#lookAt(seq);
    return stream;
  }

  release(
    { seq }: Pick<MailboxAccount, "seq">,
    reason: StreamEnd = "mailbox_gone",
  ): void {
    end([...this.#consumers.at(seq)], reason);
  }

  status() {
    return { waiting: this.#waiting, streams: this.#streams };
  }

  drain(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#stopWatching();
    this.#stopListening();
    void this.#consumers.stop();
    void this.#ends.stop();
    end(this.#consumers.list(), "stopping");
    this.#contents.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.drain();
    await Promise.all([this.#consumers.stop(), this.#ends.stop()]);
    await this.#leases.idle();
    // Last: what is written until then counts.
    this.#stopCounting();
  }

  /** Leases messages for one answer. */
  async #poll(
    { seq: mailbox, projectId }: MailboxAccount,
    {
      max,
      leaseMs = this.#settings().leaseMs,
      waitMs = 0,
      signal,
    }: ReceiveOptions,
  ): Promise<readonly MessageLease[]> {
    const { store, clock } = this.#ports;
    const isWaiting = waitMs > 0;
    if (isWaiting) this.#checkRoom(mailbox);
    // Most polls of a mailbox find nothing: that costs no write.
    else if (
      !this.#consumers.mayHaveMessages(mailbox) &&
      !(await store.mayHaveMessages(mailbox, clock.now()))
    ) {
      return [];
    }
    if (signal?.aborted || !this.#isOpen) return [];
    const poll = new MessagePoll(
      {
        clock,
        giveBack: (leases) => this.#leases.giveBack(mailbox, leases),
        onEnd: (ended) => {
          this.#remove(mailbox, ended);
          if (isWaiting) this.#waiting--;
        },
      },
      { max, leaseMs, waitMs, signal },
    );
    if (isWaiting) this.#waiting++;
    this.#projects.set(mailbox, projectId);
    this.#consumers.add(mailbox, poll);
    // Looked at once it is there, so that no hint is missed.
    if (isWaiting) void this.#lookAt(mailbox);
    else this.#consumers.hint([mailbox]);
    return await poll.leases;
  }

  /** Has those who wait at a mailbox served, if there may be something. */
  async #lookAt(mailbox: number): Promise<void> {
    const { store, clock } = this.#ports;
    try {
      if (!(await store.mayHaveMessages(mailbox, clock.now()))) return;
    } catch {
      // Whoever leases finds out what is wrong, and tells it.
    }
    this.#consumers.hint([mailbox]);
  }

  /** Reads what was leased; what cannot be handed out is given back. */
  async #answer(
    mailbox: number,
    leases: readonly MessageLease[],
    signal?: AbortSignal,
  ): Promise<readonly PulledMessage[]> {
    if (leases.length === 0) return [];
    try {
      const answer = await this.#contents.readAnswer(leases);
      this.#leases.release(mailbox, answer.unreadable, unreadableDelayMs);
      if (!signal?.aborted) {
        this.#leases.giveBack(mailbox, answer.rest);
        return answer.messages;
      }
      const keys = answer.messages.map(({ key }) => key);
      this.#leases.giveBack(mailbox, [...keys, ...answer.rest]);
      return [];
    } catch (error) {
      this.#leases.giveBack(mailbox, leases);
      throw error;
    }
  }

  #rememberResumption(resumption: string, number: number): void {
    // Behind all others.
    this.#resumptions.delete(resumption);
    this.#resumptions.set(resumption, number);
    const [oldest] = this.#resumptions.keys();
    if (oldest !== undefined && this.#resumptions.size > maxResumptions) {
      this.#resumptions.delete(oldest);
    }
  }

  #addStream(
    { seq: mailbox, projectId }: MailboxAccount,
    options: ConstructorParameters<typeof OpenStream>[1],
    output: StreamOutput,
  ): OpenStream {
    const stream = new OpenStream(
      {
        ...this.#ports,
        output,
        contents: this.#contents,
        beats: this.#beats,
        giveBack: (leases) => this.#leases.giveBack(mailbox, leases),
        release: (keys, delayMs) =>
          this.#leases.release(mailbox, keys, delayMs),
        onWantsMore: () => this.#consumers.wantsMore(mailbox),
        onEnd: (ended) => {
          this.#remove(mailbox, ended);
          this.#streams--;
        },
      },
      options,
    );
    this.#streams++;
    this.#projects.set(mailbox, projectId);
    this.#consumers.add(mailbox, stream);
    return stream;
  }

  #remove(mailbox: number, consumer: Consumer): void {
    this.#consumers.remove(mailbox, consumer);
    if (this.#consumers.countAt(mailbox) === 0) this.#projects.delete(mailbox);
  }

  /** Who waits in a project that lets nobody in any more asks with what holds. */
  async #onChange(change: StoreChange): Promise<void> {
    const isOfProject = change.kind === "access" && change.of === "project";
    const isOfDomain = change.kind === "access" && change.of === "domain";
    if (!isOfProject && !isOfDomain) return;
    const waiting = new Set(this.#projects.values());
    for (const project of waiting) {
      if (isOfProject && change.id !== project) continue;
      try {
        if (await isOpenProject(this.#ports.store, project)) continue;
      } catch {
        // Each stream asks for credentials anew after a while in any case.
        continue;
      }
      for (const [seq, of] of [...this.#projects]) {
        if (of === project) this.release({ seq }, "renew");
      }
    }
  }

  #streamsAt(mailbox: number): OpenStream[] {
    return [...this.#consumers.at(mailbox)].filter(
      (it) => it instanceof OpenStream,
    );
  }

  #onLeased(leases: readonly MessageLease[]): void {
    const [first] = leases;
    if (first === undefined) return;
    // All of one answer end together.
    this.#ends.made(first.until);
    this.#count("leased", leases.length);
  }

  #onOutcomes({ settled, returned }: QueueOutcomes): void {
    this.#count("returned", returned);
    const countOf = (state: SettledMessage["state"]) =>
      settled.filter((it) => it.state === state).length;
    this.#count("confirmed", countOf("delivered"));
    this.#count("dead", countOf("failed"));
    if (settled.length > 0) this.#ports.onSettled?.(settled);
  }

  #checkOpen(): void {
    if (!this.#isOpen) throw new CarillonError("SHUTTING_DOWN");
  }

  #checkRoom(mailbox: number): void {
    const hasRoom =
      this.#consumers.countAt(mailbox) < maxOfMailbox &&
      this.#waiting + this.#streams < maxInAll;
    if (hasRoom) return;
    throw new CarillonError(
      "OVERLOADED",
      `Too many requests wait for messages, or have a stream open: ${maxOfMailbox} at a mailbox and ${maxInAll} in all. End some, or ask without waiting.`,
    );
  }
}

function end(consumers: readonly Consumer[], reason: StreamEnd): void {
  for (const consumer of consumers) consumer.end(reason);
}

/** @throws CarillonError SUBSCRIBER_DISABLED */
function checkEnabled({ name, disabled }: MailboxAccount): void {
  if (!disabled) return;
  throw new CarillonError(
    "SUBSCRIBER_DISABLED",
    `The pull subscriber ${name} is disabled: enable it to fetch its messages.`,
  );
}
