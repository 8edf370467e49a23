/**
 * Mailboxes over a store, and a clock that the test moves: what the cases of the
 * mailboxes' contract work with.
 */

import assert from "node:assert/strict";
import {
  addMs,
  createMailboxes,
  createProtocols,
  createSteadyClock,
  defaultPullSettings,
  type Mailbox,
  type MailboxService,
  type MailboxStream,
  type NewMailbox,
  type NewMessage,
  type PulledMessage,
  type PullSettings,
  type QueueEvent,
  type SettledMessage,
  type Store,
  type StreamEnd,
  type StreamOptions,
  type StreamOutput,
  subscriptionStatus,
  type Topic,
} from "@carillon/core";
import { trackCalls } from "../engine-contract/track-calls.ts";
import { type FailurePlan, failing } from "../failing.ts";
import { interceptCalls } from "../intercept-calls.ts";
import { ManualClock } from "../manual-clock.ts";
import type { OpenStore } from "../open-store.ts";
import { RecordingLogger } from "../recording-logger.ts";
import { seededRandom } from "../seeded-random.ts";
import {
  addSubscription,
  addTopic,
  everything,
  freshId,
  leaseOf,
  messageTo,
  projectId,
} from "../store-contract/fixtures.ts";
import { defineTestProtocol } from "../test-protocol.ts";
import type { WrapStore } from "./cases.ts";

export async function openMailboxWorld(
  open: OpenStore,
  wrap: WrapStore,
): Promise<MailboxWorld> {
  const clock = new ManualClock();
  const store = await open({ clock });
  return new MailboxWorld(clock, store, wrap, await addTopic(store));
}

export class MailboxWorld {
  readonly clock: ManualClock;
  /** Without what stands between the mailboxes and it. */
  readonly store: Store;
  readonly logger = new RecordingLogger();
  readonly topic: Topic;
  readonly random = seededRandom(7);
  /** How the store that the mailboxes use fails. */
  readonly failures: FailurePlan = {};
  /** How often each of its methods was called. */
  readonly calls: Record<string, number> = {};
  /** Is called at each, before it takes effect. */
  onCall: (method: string) => void = () => {};
  readonly events: Partial<Record<QueueEvent, number>> = {};
  readonly settled: SettledMessage[] = [];
  settings: PullSettings = defaultPullSettings;
  mailboxes: MailboxService;
  readonly #tracked;

  constructor(clock: ManualClock, store: Store, wrap: WrapStore, topic: Topic) {
    this.clock = clock;
    this.store = store;
    this.topic = topic;
    this.#tracked = trackCalls(wrap(failing(store, this.failures)));
    this.mailboxes = this.#create();
  }

  #create(): MailboxService {
    const store = interceptCalls(this.#tracked.store, async (method, call) => {
      const name = String(method);
      this.calls[name] = (this.calls[name] ?? 0) + 1;
      this.onCall(name);
      return await call();
    });
    const mailboxes = createMailboxes(
      {
        store,
        protocols: createProtocols([defineTestProtocol("pull")]),
        clock: createSteadyClock(this.clock),
        logger: this.logger,
        random: this.random,
        onEvent: (event, messages) => {
          this.events[event] = (this.events[event] ?? 0) + messages;
        },
        onSettled: (messages) => this.settled.push(...messages),
      },
      () => this.settings,
    );
    mailboxes.start();
    return mailboxes;
  }

  /** As after a restart of the service. */
  async restart(): Promise<void> {
    await this.mailboxes[Symbol.asyncDispose]();
    this.mailboxes = this.#create();
  }

  async close(): Promise<void> {
    await this.mailboxes[Symbol.asyncDispose]();
    await this.store.close();
  }

  /** A mailbox that is subscribed to the topic. */
  async subscribe(
    name: string,
    settings: Partial<Pick<NewMailbox, "legacyConfirm">> = {},
  ): Promise<Mailbox> {
    await addSubscription(this.store, this.topic, {
      protocol: "pull",
      endpoint: name,
      status: subscriptionStatus.confirmationNotNeeded,
      mailbox: {
        id: freshId(),
        projectId,
        name,
        quota: 1000,
        legacyConfirm: "auto",
        createdAt: this.clock.now(),
        ...settings,
      },
    });
    const mailbox = await this.store.findMailbox(projectId, name);
    assert.ok(mailbox);
    return mailbox;
  }

  /** Puts a message into all mailboxes; answers its number. */
  async publish(text: string, rest: Partial<NewMessage> = {}): Promise<number> {
    const { store, topic, clock } = this;
    const expiresAt = addMs(clock.now(), 7 * 86_400_000);
    const message = messageTo(topic, {
      content: { kind: "text", text },
      createdAt: clock.now(),
      expiresAt,
      ...rest,
    });
    const { seq, range } = await store.acceptMessage(
      message,
      leaseOf("fan-out"),
    );
    if (!range) throw new Error("The topic has nobody to send to.");
    const { orderingKey } = message;
    const { items } = await store.listSubscriptions(
      projectId,
      { topicSeq: topic.seq },
      everything,
    );
    const outcomes = items.flatMap(({ seq: target, mailbox }) =>
      mailbox === undefined
        ? []
        : [
            {
              messageSeq: seq,
              target,
              state: "waiting" as const,
              attempts: 0,
              pull: {
                mailbox,
                expiresAt,
                ...(orderingKey !== undefined && { orderingKey }),
              },
            },
          ],
    );
    await store.finish({ range, outcomes });
    return seq;
  }

  async publishEach(...texts: readonly string[]): Promise<void> {
    for (const text of texts) await this.publish(text);
  }

  /** Asks once, and lets all run. */
  async poll(mailbox: Mailbox, max = 100): Promise<readonly PulledMessage[]> {
    const messages = await this.mailboxes.receive(mailbox, { max });
    await this.settle();
    return messages;
  }

  async open(
    mailbox: Mailbox,
    options: Partial<StreamOptions> = {},
  ): Promise<RecordingStream> {
    const recording = new RecordingStream();
    recording.stream = await this.mailboxes.stream(
      mailbox,
      { credit: 16, ...options },
      recording,
    );
    await this.settle();
    return recording;
  }

  /** How many deliveries of a message are in each state. */
  async statesOf(messageSeq: number) {
    const deliveries = await this.store.listDeliveries(messageSeq, {
      limit: 1000,
    });
    return deliveries.map(({ state }) => state);
  }

  /** Lets all run that can without time passing. */
  settle(): Promise<void> {
    return this.#tracked.idle();
  }

  /** Moves the clock on by `ms`, timer by timer, letting all run after each. */
  async pass(ms: number): Promise<void> {
    const end = this.clock.monotonic() + ms;
    for (;;) {
      await this.settle();
      const waitMs = this.clock.nextTimerInMs;
      if (waitMs === undefined || this.clock.monotonic() + waitMs > end) break;
      this.clock.advance(waitMs);
    }
    this.clock.advance(Math.max(0, end - this.clock.monotonic()));
    await this.settle();
  }
}

/** Keeps what a stream sent. */
export class RecordingStream implements StreamOutput {
  stream: MailboxStream | undefined;
  startId: number | undefined;
  readonly messages: PulledMessage[] = [];
  readonly eventIds: number[] = [];
  beats = 0;
  ended: StreamEnd | undefined;
  /** Whether the output takes nothing more. */
  isFull = false;

  begin(startId: number): void {
    assert.equal(this.startId ?? this.messages[0], undefined);
    this.startId = startId;
  }

  deliver(message: PulledMessage, eventId: number): boolean {
    this.messages.push(message);
    this.eventIds.push(eventId);
    return !this.isFull;
  }

  beat(): void {
    this.beats++;
  }

  end(reason: StreamEnd): void {
    this.ended = reason;
  }

  get bodies(): string[] {
    return bodiesOf(this.messages);
  }

  /** What its consumer acks. */
  get keys() {
    return keysOf(this.messages);
  }
}

export function bodiesOf(messages: readonly PulledMessage[]): string[] {
  return messages.map(({ body }) => body);
}

export function keysOf(messages: readonly PulledMessage[]) {
  return messages.map(({ key }) => key);
}

/** Calls `run` with the number of each of so many. */
export function times<Item>(count: number, run: (n: number) => Item): Item[] {
  return Array.from({ length: count }, (_, n) => run(n));
}
