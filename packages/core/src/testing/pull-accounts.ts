/** A service with publishers and subscribers, on a store in memory, for tests. */

import { hash } from "node:crypto";
import {
  createCountingIds,
  defineTestProtocol,
  ManualClock,
  MemoryStore,
  RecordingLogger,
} from "@carillon/testing";
import { createEngine } from "../engine/engine.ts";
import type { PublishRequest } from "../engine/publish.ts";
import type { ProjectId } from "../ids.ts";
import type { Channel, PullChannel } from "../ports/channel.ts";
import type { Dispatcher, DispatchListener } from "../ports/dispatcher.ts";
import type { AccountSecrets } from "../pull/account.ts";
import { createPullPublishers } from "../pull/publishers-service.ts";
import { createPullSubscribers } from "../pull/subscribers-service.ts";
import { createProtocols } from "../subscriptions/protocol.ts";
import { createSubscriptions } from "../subscriptions/subscriptions.ts";
import { createTopics } from "../topics/topics.ts";

export const projectId = "1".repeat(32) as ProjectId;
export const otherProjectId = "2".repeat(32) as ProjectId;

const pull: PullChannel = {
  name: "pull",
  kind: "pull",
  protocols: [{ ...defineTestProtocol("pull"), confirmation: "none" }],
};

/** Webhooks that are never there. */
const webhooks: Channel = {
  name: "http",
  kind: "push",
  protocols: [{ ...defineTestProtocol("http"), confirmation: "none" }],
  timeoutMs: 1000,
  prepare: () => ({
    deliver: async () => ({
      outcome: "rejected",
      errorClass: "unreachable",
      error: "gone",
    }),
  }),
  async close() {},
};

/** One engine, which works once it is started. */
export async function setUp({ isStarted = true } = {}) {
  const clock = new ManualClock();
  const store = new MemoryStore({ clock });
  const newId = createCountingIds();
  const topics = createTopics({ store, clock, newId }, { region: "local" });
  const protocols = createProtocols([...pull.protocols, ...webhooks.protocols]);
  const dispatcher = createTestDispatcher();
  const engine = createEngine({
    store,
    topics,
    dispatcher,
    channels: [pull, webhooks],
    protocols,
    clock,
    logger: new RecordingLogger(),
    random: () => 0.5,
    newId,
    newMessageId: newId,
  });
  if (isStarted) await engine.start();
  const subscriptions = createSubscriptions({
    store,
    topics,
    dispatcher,
    notices: engine.notices,
    clock,
    newId,
    newMailboxId: newId,
    newMessageId: newId,
    protocols,
    kindOf: (protocol) => (protocol === "pull" ? "pull" : "push"),
    tokens: {
      confirmationToken: () => "",
      openConfirmationToken: () => undefined,
      confirmationCode: () => "",
      isConfirmationCode: () => false,
      unsubscribeToken: () => "",
      openUnsubscribeToken: () => undefined,
    },
    hash: (...parts) => parts.join("-"),
    checkTarget: async () => {},
  });
  const compared: string[] = [];
  const released: number[] = [];
  const ports = { store, topics, clock, newId, secrets: secretsFor(compared) };
  const publishers = createPullPublishers({ ...ports, engine });
  const subscribers = createPullSubscribers(
    {
      ...ports,
      subscriptions,
      mailboxes: { release: ({ seq }) => released.push(seq) },
    },
    { mailboxQuota: () => 50 },
  );
  return {
    clock,
    store,
    topics,
    subscriptions,
    publishers,
    subscribers,
    /** Secrets that were compared with a hash. */
    compared,
    /** Numbers of mailboxes. */
    released,
    /** A publisher with these categories. */
    async addPublisher(name: string, ...references: string[]) {
      await publishers.create(projectId, { name });
      for (const reference of references) {
        await publishers.addCategory(projectId, name, { reference });
      }
    },
    /** A subscriber who follows these categories of the publisher `shop`. */
    async addFollower(name: string, ...references: string[]) {
      await subscribers.create(projectId, { name });
      await subscribers.follow(projectId, name, "shop", references);
    },
    /** By the publisher `shop`; `counts` are passed, failed, total. */
    async publish(
      categories: readonly string[],
      request: PublishRequest = { text: "hi" },
    ) {
      const publisher = await publishers.get(projectId, "shop");
      const { published, counts } = await publishers.publish(
        publisher,
        categories,
        request,
      );
      return {
        published,
        counts: counts && [counts.passed, counts.failed, counts.total],
      };
    },
    async depths(...names: string[]) {
      const depths = [];
      for (const name of names) {
        depths.push((await subscribers.get(projectId, name)).depth);
      }
      return depths;
    },
  };
}

function secretsFor(compared: string[]): AccountSecrets {
  let made = 0;
  return {
    make: () => `secret-${++made}`,
    hash: (secret) => hash("sha256", secret),
    matches(secret, expected) {
      compared.push(secret);
      return hash("sha256", secret) === expected;
    },
  };
}

/** Offers all work to all that listen. */
function createTestDispatcher(): Dispatcher {
  const listeners = new Set<DispatchListener>();
  return {
    offer: (hint) =>
      queueMicrotask(() => {
        for (const listener of listeners) listener.onOffer(hint);
      }),
    broadcast() {},
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {},
  };
}
