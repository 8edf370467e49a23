/**
 * An engine over a store, with scripted channels and a clock that the test
 * moves: what the cases of the engine's contract work with.
 */

import assert from "node:assert/strict";
import {
  type AddedSubscription,
  addMs,
  type Clock,
  type ContentSeal,
  createEngine,
  createProtocols,
  createSteadyClock,
  createTopics,
  type Delivery,
  type Dispatcher,
  type DispatchListener,
  type Engine,
  type EngineOptions,
  type Lease,
  type MessageId,
  type MessageReport,
  type NewSubscription,
  type ProjectId,
  type Protocol,
  type PublishRequest,
  type PullChannel,
  type Store,
  type Subscription,
  smnRetryPolicy,
  subscriptionStatus,
  type Topic,
  type WrittenDelivery,
} from "@carillon/core";
import { createCountingIds } from "../counting-ids.ts";
import { ManualClock } from "../manual-clock.ts";
import type { OpenStore } from "../open-store.ts";
import { RecordingLogger } from "../recording-logger.ts";
import { seededRandom } from "../seeded-random.ts";
import { newMailbox } from "../store-contract/mailbox-fixtures.ts";
import { defineTestProtocol } from "../test-protocol.ts";
import { ScriptedChannel } from "./scripted-channel.ts";
import { type Tracked, trackCalls } from "./track-calls.ts";

export const projectId = "1".repeat(32) as ProjectId;

export interface WorldOptions {
  /** Webhooks that are subscribed to the topic `alerts`. */
  readonly subscribers?: number;
  /** All hints are lost. */
  readonly lossy?: boolean;
  readonly engine?: Partial<EngineOptions>;
  readonly seal?: ContentSeal;
  /** Stands between the engine and its store. */
  readonly wrap?: (store: Store, clock: ManualClock) => Store;
}

/** A world with a store of its own and the topic `alerts`. */
export async function openWorld(
  open: OpenStore,
  options: WorldOptions = {},
): Promise<World> {
  const clock = new ManualClock();
  const store = await open({ clock });
  const tracked = trackCalls(options.wrap?.(store, clock) ?? store);
  const world = new World(clock, tracked, options);
  await world.addTopic("alerts");
  const { subscribers = 0 } = options;
  await Promise.all(
    Array.from({ length: subscribers }, (_, n) =>
      world.subscribe("http", `http://sink.test/${n}`),
    ),
  );
  return world;
}

export class World {
  readonly clock: ManualClock;
  readonly store: Store;
  readonly logger = new RecordingLogger();
  readonly http = new ScriptedChannel("http", ["http", "https"]);
  /** Subscribers by `queue` fetch their messages, within a minute. */
  readonly pull: PullChannel = {
    name: "pull",
    protocols: [
      {
        ...defineTestProtocol("queue", { defaultLifeSeconds: 60 }),
        confirmation: "none",
      },
    ],
    kind: "pull",
  };
  readonly sms = new ScriptedChannel("sms", ["sms"], "billable");
  /** What the engines' listener was told of, in its order. */
  readonly written: WrittenDelivery[] = [];
  readonly random = seededRandom(7);
  readonly #tracked: Tracked;
  readonly #options: WorldOptions;
  readonly #dispatcher: Dispatcher;
  readonly #newId = createCountingIds();
  readonly #topics;
  /** As the service runs it. */
  readonly #steadyClock: Clock;
  /** Ends those engines that were created before it was aborted. */
  #life = new AbortController();

  constructor(clock: ManualClock, tracked: Tracked, options: WorldOptions) {
    this.clock = clock;
    this.store = tracked.store;
    this.#tracked = tracked;
    this.#options = options;
    this.#dispatcher = createTestDispatcher(options.lossy ?? false);
    this.#steadyClock = createSteadyClock(clock);
    this.#topics = createTopics(
      { store: tracked.store, clock: this.#steadyClock, newId: this.#newId },
      { region: "local" },
    );
  }

  /** Starts an engine, as after a crash of those before it. */
  async start(tuning: Partial<EngineOptions> = {}): Promise<Engine> {
    const engine = this.create(tuning);
    await engine.recover();
    await engine.start();
    return engine;
  }

  /** One more engine on the same store; it recovers nothing and is not begun. */
  create(tuning: Partial<EngineOptions> = {}): Engine {
    return createEngine(
      {
        store: whileAlive(this.store, this.#life.signal),
        topics: this.#topics,
        dispatcher: this.#dispatcher,
        channels: [this.http, this.sms, this.pull],
        protocols: createProtocols([
          ...this.http.protocols,
          ...this.sms.protocols,
          ...this.pull.protocols,
        ]),
        clock: this.#steadyClock,
        logger: this.logger,
        listener: { onWritten: (these) => this.written.push(...these) },
        random: this.random,
        newId: this.#newId,
        newMessageId: this.#newId,
        ...(this.#options.seal && { seal: this.#options.seal }),
      },
      { retryPolicy: smnRetryPolicy, ...this.#options.engine, ...tuning },
    );
  }

  /** All engines so far die as by `kill -9`: nothing they ask is answered. */
  cutOff(): void {
    this.#life.abort();
    this.#life = new AbortController();
  }

  /** Stops engines that still run, and closes the store. */
  async close(): Promise<void> {
    this.cutOff();
    await this.store.close();
  }

  async addTopic(name: string): Promise<void> {
    await this.#topics.create(projectId, { name });
  }

  async subscribe(
    protocol: Protocol,
    endpoint: string,
    topicName = "alerts",
  ): Promise<Subscription> {
    const topic = await this.#findTopic(topicName);
    const { subscription } = await this.store.addSubscription(
      this.#newSubscription(topic, protocol, endpoint, "confirmed"),
      undefined,
      1_000_000,
    );
    return subscription;
  }

  /** Subscribes to `alerts`, and asks for confirmation. */
  async addUnconfirmed(
    protocol: Protocol,
    endpoint: string,
    lease: Lease | undefined,
  ): Promise<AddedSubscription> {
    const topic = await this.#findTopic("alerts");
    const { seq, name, displayName, introduction } = topic;
    const createdAt = this.clock.now();
    const expiresAt = addMs(createdAt, 3_600_000);
    return await this.store.addSubscription(
      this.#newSubscription(topic, protocol, endpoint, "unconfirmed"),
      {
        kind: "confirmation",
        expiresAt,
        message: {
          id: this.#newId(),
          projectId,
          audience: "subscription",
          topic: { seq, urn: urnOf(name), name, displayName, introduction },
          createdAt,
          expiresAt,
        },
      },
      1_000_000,
      lease,
    );
  }

  async #findTopic(name: string): Promise<Topic> {
    const topic = await this.store.findTopic(projectId, name);
    assert.ok(topic);
    return topic;
  }

  #newSubscription(
    topic: Topic,
    protocol: Protocol,
    endpoint: string,
    status: "unconfirmed" | "confirmed",
  ): NewSubscription {
    return {
      id: this.#newId(),
      topicSeq: topic.seq,
      projectId,
      protocol,
      endpoint,
      remark: "",
      extension: {},
      status: subscriptionStatus[status],
      createdAt: this.clock.now(),
      ...(protocol === "queue" && {
        mailbox: newMailbox({ projectId, name: endpoint, quota: 2 }),
      }),
    };
  }

  async publish(
    engine: Engine,
    topicName = "alerts",
    request: PublishRequest = {},
  ): Promise<MessageId> {
    const urn = urnOf(topicName);
    const { messageId } = await engine.publisher.publish(projectId, urn, {
      subject: "disk",
      text: "Disk is full",
      ...request,
    });
    return messageId;
  }

  async publishToSeveral(
    engine: Engine,
    topicNames: readonly string[],
    request: PublishRequest = {},
  ): Promise<MessageId> {
    const urns = topicNames.map(urnOf);
    const { publisher } = engine;
    const { messageId } = await publisher.publishToSeveral(projectId, urns, {
      text: "Disk is full",
      ...request,
    });
    return messageId;
  }

  async sendSms(engine: Engine, endpoint: string): Promise<MessageId> {
    const { publisher } = engine;
    return (await publisher.sendSms(projectId, endpoint, "hi")).messageId;
  }

  async report(id: MessageId): Promise<MessageReport> {
    const found = await this.store.findMessage(projectId, id);
    assert.ok(found);
    return found;
  }

  async counts(id: MessageId): Promise<MessageReport["counts"]> {
    return (await this.report(id)).counts;
  }

  async deliveries(id: MessageId): Promise<readonly Delivery[]> {
    const { message } = await this.report(id);
    return await this.store.listDeliveries(message.seq, { limit: 10_000 });
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

/** The store as long as the signal is not aborted; then, silence. */
function whileAlive(store: Store, life: AbortSignal): Store {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) =>
        life.aborted
          ? new Promise(() => {})
          : Reflect.apply(value, target, args);
    },
  });
}

export function urnOf(topicName: string): string {
  return `urn:smn:local:${projectId}:${topicName}`;
}

/** Offers to each engine in turn, and soon; or loses all hints. */
function createTestDispatcher(lossy: boolean): Dispatcher {
  const listeners = new Set<DispatchListener>();
  return {
    offer(hint) {
      if (lossy) return;
      queueMicrotask(() => {
        for (const listener of [...listeners]) {
          listeners.delete(listener);
          listeners.add(listener);
          if (listener.onOffer(hint)) return;
        }
      });
    },
    broadcast(notice) {
      if (lossy) return;
      queueMicrotask(() => {
        for (const listener of listeners) listener.onNotice(notice);
      });
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {},
  };
}
