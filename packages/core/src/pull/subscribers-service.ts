/** What owners do with subscriber accounts, and what these follow. */

import { CarillonError } from "../errors.ts";
import {
  isHexId,
  type MailboxId,
  type NewId,
  type ProjectId,
  type SubscriptionId,
} from "../ids.ts";
import type { Clock } from "../ports/clock.ts";
import type { IdentityStore } from "../ports/identity-store.ts";
import type { MailboxStore } from "../ports/mailbox-store.ts";
import type { PublisherStore } from "../ports/publisher-store.ts";
import type { SubscriptionStore } from "../ports/subscription-store.ts";
import type { TopicReader } from "../ports/topic-store.ts";
import type { Subscription } from "../subscriptions/subscription.ts";
import type { Subscriptions } from "../subscriptions/subscriptions.ts";
import type { Topics } from "../topics/topics.ts";
import { parseSubscriptionUrn } from "../urn.ts";
import { type AccountSecrets, createAccountCheck, toPage } from "./account.ts";
import {
  checkMailboxName,
  type LegacyConfirm,
  legacyConfirmModes,
  type Mailbox,
  type MailboxAccount,
  type MailboxChange,
  maxMailboxQuota,
} from "./mailbox.ts";
import type { Mailboxes } from "./mailboxes.ts";
import { allCategories, type PullPublisher } from "./publisher.ts";
import { categoryNotFound, publisherNotFound } from "./publishers-service.ts";
import type { Followed, PullSubscribers } from "./pull-subscribers.ts";

/** What subscriber accounts are kept with. */
export interface PullSubscribersPorts {
  readonly store: MailboxStore &
    Pick<
      PublisherStore,
      "findPublisher" | "findCategories" | "listCategories" | "listTopicUses"
    > &
    Pick<SubscriptionStore, "findSubscriptionById"> &
    Pick<TopicReader, "findTopic"> &
    Pick<IdentityStore, "findProject" | "findDomain">;
  readonly topics: Pick<Topics, "urnOf">;
  readonly subscriptions: Pick<
    Subscriptions,
    "subscribe" | "list" | "remove" | "get" | "urnOf"
  >;
  /** Ends what waits at mailboxes that are disabled, deleted or get a new secret. */
  readonly mailboxes: Pick<Mailboxes, "release">;
  readonly clock: Pick<Clock, "now">;
  readonly newId: NewId<MailboxId>;
  readonly secrets: AccountSecrets;
}

/** How subscriber accounts are made. */
export interface PullSubscribersOptions {
  /** Of mailboxes that are made without one. */
  readonly mailboxQuota: () => number;
}

const protocol = "pull";

/** Subscriptions that are read at once. */
const pageSize = 500;

/** Builds the operations on subscriber accounts. */
export function createPullSubscribers(
  ports: PullSubscribersPorts,
  options: PullSubscribersOptions,
): PullSubscribers {
  const { store, topics, subscriptions, mailboxes, clock, secrets } = ports;
  const isHolder = createAccountCheck(ports);

  async function get(projectId: ProjectId, name: string): Promise<Mailbox> {
    const found = await store.findMailbox(projectId, name);
    if (!found) throw subscriberNotFound();
    return found;
  }

  async function change(
    projectId: ProjectId,
    name: string,
    changes: MailboxChange,
  ): Promise<Mailbox> {
    const changed = await store.updateMailbox(projectId, name, changes);
    if (!changed) throw subscriberNotFound();
    return changed;
  }

  async function getPublisher(projectId: ProjectId, name: string) {
    const found = await store.findPublisher(projectId, name);
    if (!found) throw publisherNotFound();
    return found;
  }

  /**
   * Names of the categories' topics.
   *
   * @throws CarillonError CATEGORY_NOT_FOUND
   */
  async function topicsOf(
    { id }: PullPublisher,
    references: readonly string[],
  ): Promise<readonly string[]> {
    const wanted = [...new Set(references)].filter(
      (reference) => reference !== allCategories,
    );
    const found = await store.findCategories(id, wanted);
    const missing = wanted.find(
      (it) => !found.some(({ reference }) => reference === it),
    );
    if (missing !== undefined) throw categoryNotFound(missing);
    return found.map(({ topicName }) => topicName);
  }

  async function listSubscriptions({
    projectId,
    name: endpoint,
  }: MailboxAccount): Promise<readonly Subscription[]> {
    const all: Subscription[] = [];
    for (;;) {
      const marker = all.at(-1)?.id;
      const { items } = await subscriptions.list(
        projectId,
        { protocol, endpoint },
        { offset: 0, limit: pageSize, ...(marker !== undefined && { marker }) },
      );
      all.push(...items);
      if (items.length < pageSize) return all;
    }
  }

  /** The mailbox that a subscription fills. */
  async function ofSubscription(
    subscription: Subscription | undefined,
  ): Promise<Mailbox> {
    if (subscription?.protocol !== protocol) {
      throw new CarillonError(
        "SUBSCRIPTION_NOT_FOUND",
        `There is no subscription of protocol ${protocol} of that URN or id.`,
      );
    }
    return await get(subscription.projectId, subscription.endpoint);
  }

  return {
    async create(projectId, request) {
      const name = checkMailboxName(request.name);
      const { quota = options.mailboxQuota(), legacyConfirm = "auto" } =
        checkSettings(request);
      const secret = secrets.make();
      const account = await store.addMailbox({
        id: ports.newId(),
        projectId,
        name,
        secretHash: secrets.hash(secret),
        quota,
        legacyConfirm,
        createdAt: clock.now(),
      });
      if (account) return { account, secret };
      throw new CarillonError(
        "SUBSCRIBER_EXISTS",
        "The project has a pull subscriber of that name already: choose another name, or give this one a new secret.",
      );
    },
    list: async (projectId, page) =>
      await store.listMailboxes(projectId, toPage(page)),
    get,
    counts: ({ seq }) => store.countMailboxMessages(seq),
    async change(projectId, name, { disabled, ...request }) {
      const changed = await change(projectId, name, {
        ...checkSettings(request),
        ...(disabled !== undefined && { disabled }),
      });
      if (disabled) mailboxes.release(changed);
      return changed;
    },
    async rotateSecret(projectId, name) {
      const secret = secrets.make();
      const secretHash = secrets.hash(secret);
      const account = await change(projectId, name, { secretHash });
      mailboxes.release(account, "renew");
      return { account, secret };
    },
    async remove(projectId, name) {
      const mailbox = await get(projectId, name);
      const isGone = await store.deleteMailbox(projectId, name, clock.now());
      if (!isGone) throw subscriberNotFound();
      mailboxes.release(mailbox);
    },
    async follow(projectId, name, publisherName, categories) {
      const mailbox = await get(projectId, name);
      const publisher = await getPublisher(projectId, publisherName);
      const names = [
        publisher.topicName,
        ...(await topicsOf(publisher, categories)),
      ];
      for (const topicName of new Set(names)) {
        if (await store.findTopic(projectId, topicName)) continue;
        throw new CarillonError(
          "TOPIC_NOT_FOUND",
          topicName === publisher.topicName
            ? `The publisher's topic ${topicName} was deleted: create it again.`
            : `The topic ${topicName} of a category was deleted: add the category again, which creates it.`,
        );
      }
      // A crash in between leaves some: the same request goes on.
      for (const topicName of new Set(names)) {
        await subscriptions.subscribe(
          projectId,
          topics.urnOf({ projectId, name: topicName }),
          { protocol, endpoint: mailbox.name },
        );
      }
    },
    async unfollow(projectId, name, publisherName, categories) {
      const mailbox = await get(projectId, name);
      const publisher = await store.findPublisher(projectId, publisherName);
      if (!publisher) {
        throw new CarillonError(
          "PUBLISHER_NOT_FOUND",
          "The project has no publisher of that name. What was followed of one that was deleted are subscriptions to its topics: delete those (DELETE /api/v2/subscriptions/{urn}).",
        );
      }
      const left = new Set(
        categories && !categories.includes(allCategories)
          ? await topicsOf(publisher, categories)
          : [
              publisher.topicName,
              ...(await store.listCategories(publisher.id)).map(
                ({ topicName }) => topicName,
              ),
            ],
      );
      for (const subscription of await listSubscriptions(mailbox)) {
        if (!left.has(subscription.topicName)) continue;
        await subscriptions
          .remove(projectId, subscriptions.urnOf(subscription))
          .catch(ignoreGone);
      }
    },
    async following(projectId, name) {
      const mailbox = await get(projectId, name);
      const subscribed = await listSubscriptions(mailbox);
      const uses = await store.listTopicUses(
        projectId,
        subscribed.map(({ topicName }) => topicName),
      );
      const followed = new Map<string, string[]>();
      for (const { publisher, reference } of uses) {
        const categories = followed.get(publisher) ?? [];
        if (reference !== allCategories) categories.push(reference);
        followed.set(publisher, categories);
      }
      return [...followed].map(
        ([publisher, categories]): Followed => ({ publisher, categories }),
      );
    },
    subscriptions: listSubscriptions,
    async authenticate(id, secret) {
      // Access keys are held against accounts first, on every request.
      if (!isHexId(id)) return undefined;
      // It has the form of one.
      const found = await store.findMailboxById(id as MailboxId);
      return (await isHolder(found, secret)) ? found : undefined;
    },
    async find(projectId, reference) {
      const named = await store.findMailboxAccount(projectId, reference);
      if (named) return named;
      if (parseSubscriptionUrn(reference)) {
        return await ofSubscription(
          await subscriptions.get(projectId, reference),
        );
      }
      if (!isHexId(reference)) throw subscriberNotFound();
      // It has the form of one.
      const id = reference as SubscriptionId;
      const found = await store.findSubscriptionById(id);
      return await ofSubscription(
        found?.projectId === projectId ? found : undefined,
      );
    },
  };
}

/** @throws CarillonError SUBSCRIBER_INVALID */
function checkSettings({
  quota,
  legacyConfirm,
}: {
  readonly quota?: unknown;
  readonly legacyConfirm?: unknown;
}): Pick<MailboxChange, "quota" | "legacyConfirm"> {
  return {
    ...(quota !== undefined && { quota: checkQuota(quota) }),
    ...(legacyConfirm !== undefined && {
      legacyConfirm: checkLegacyConfirm(legacyConfirm),
    }),
  };
}

function checkQuota(quota: unknown): number {
  if (
    typeof quota === "number" &&
    Number.isInteger(quota) &&
    quota >= 1 &&
    quota <= maxMailboxQuota
  ) {
    return quota;
  }
  throw new CarillonError(
    "SUBSCRIBER_INVALID",
    `Invalid quota: a whole number of messages from 1 to ${maxMailboxQuota} is expected.`,
  );
}

function checkLegacyConfirm(mode: unknown): LegacyConfirm {
  const known = legacyConfirmModes.find((it) => it === mode);
  if (known) return known;
  throw new CarillonError(
    "SUBSCRIBER_INVALID",
    `Invalid legacyConfirm: one of ${legacyConfirmModes.join(", ")} is expected.`,
  );
}

/** It was removed meanwhile, as it was to be. */
function ignoreGone(error: unknown): void {
  if (
    error instanceof CarillonError &&
    error.code === "SUBSCRIPTION_NOT_FOUND"
  ) {
    return;
  }
  throw error;
}

function subscriberNotFound(): CarillonError {
  return new CarillonError(
    "SUBSCRIBER_NOT_FOUND",
    "The project has no pull subscriber of that name.",
  );
}
