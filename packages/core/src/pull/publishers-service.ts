/** What owners do with publisher accounts, and what these publish. */

import type { Engine } from "../engine/engine.ts";
import { CarillonError } from "../errors.ts";
import { checkNotEventTopic } from "../events/event-topic.ts";
import {
  isHexId,
  type NewId,
  type ProjectId,
  type PublisherId,
} from "../ids.ts";
import type { Clock } from "../ports/clock.ts";
import type { IdentityStore } from "../ports/identity-store.ts";
import type { MessageReport } from "../ports/message-store.ts";
import type { PublisherStore } from "../ports/publisher-store.ts";
import type { SubscriptionReader } from "../ports/subscription-store.ts";
import type { TopicReader } from "../ports/topic-store.ts";
import { isStorable } from "../text.ts";
import type { Topics } from "../topics/topics.ts";
import { type AccountSecrets, createAccountCheck, toPage } from "./account.ts";
import {
  allCategories,
  type ListedCategory,
  maxCategoriesOfMessage,
  maxCategoriesOfPublisher,
  maxCategoryLength,
  type PullPublisher,
  type PullPublisherChange,
} from "./publisher.ts";
import type { PublicationCounts, PullPublishers } from "./pull-publishers.ts";

/** What publisher accounts are kept and published with. */
export interface PullPublishersPorts {
  readonly store: PublisherStore &
    Pick<TopicReader, "findTopic"> &
    Pick<SubscriptionReader, "countSubscriptions"> &
    Pick<IdentityStore, "findProject" | "findDomain">;
  readonly topics: Topics;
  readonly engine: Pick<Engine, "publisher" | "whenFannedOut">;
  readonly clock: Pick<Clock, "now">;
  readonly newId: NewId<PublisherId>;
  readonly secrets: AccountSecrets;
}

/** Longest wait for a fan-out, in milliseconds. */
const fanOutWaitMs = 10_000;

const nobody: PublicationCounts = { passed: 0, failed: 0, total: 0 };

/** Builds the operations on publisher accounts. */
export function createPullPublishers(
  ports: PullPublishersPorts,
): PullPublishers {
  const { store, topics, engine, clock, secrets } = ports;
  const isHolder = createAccountCheck(ports);

  async function get(projectId: ProjectId, name: string) {
    const found = await store.findPublisher(projectId, name);
    if (!found) throw publisherNotFound();
    return found;
  }

  async function change(
    projectId: ProjectId,
    name: string,
    changes: PullPublisherChange,
  ): Promise<PullPublisher> {
    const changed = await store.updatePublisher(projectId, name, changes);
    if (!changed) throw publisherNotFound();
    return changed;
  }

  /** Answers the topic of that name, which is there from now on. */
  async function adoptTopic(
    projectId: ProjectId,
    name: unknown,
  ): Promise<string> {
    if (typeof name !== "string") {
      throw new CarillonError(
        "TOPIC_NAME_INVALID",
        "Invalid topic: the name of a topic of the project is expected.",
      );
    }
    checkNotEventTopic(name);
    return (await topics.create(projectId, { name })).topic.name;
  }

  /** Whether it has subscribers, who are not to get a publisher's messages unasked. */
  async function isFollowed(projectId: ProjectId, topicName: string) {
    const topic = await store.findTopic(projectId, topicName);
    return topic && (await store.countSubscriptions(topic.seq)) > 0;
  }

  async function isOfPublisher(projectId: ProjectId, topicName: string) {
    return (await store.listTopicUses(projectId, [topicName])).length > 0;
  }

  /**
   * Readable; with a hash where that alone may be another category's, or another
   * publisher's.
   */
  async function defaultTopic(
    { id, projectId, name }: PullPublisher,
    reference: string,
  ): Promise<string> {
    const slug = toSlug(reference);
    const plain = `${name}-${slug}`;
    if (slug === reference && !(await isOfPublisher(projectId, plain))) {
      return plain;
    }
    const hash = secrets.hash(`${id} ${reference}`).slice(0, 8);
    return slug === "" ? `${name}-${hash}` : `${plain}-${hash}`;
  }

  /**
   * The topics of a message to categories; empty: nobody gets it.
   *
   * @throws CarillonError CATEGORY_INVALID, TOPIC_NOT_FOUND
   */
  async function topicsOf(
    { id, projectId, topicName }: PullPublisher,
    references: readonly string[],
  ): Promise<readonly string[]> {
    const wanted = [...new Set(references)];
    if (wanted.length > maxCategoriesOfMessage) {
      throw new CarillonError(
        "CATEGORY_INVALID",
        `Invalid categories: at most ${maxCategoriesOfMessage} are expected, ${wanted.length} were given.`,
      );
    }
    if (references.includes(allCategories)) {
      if (await store.findTopic(projectId, topicName)) return [topicName];
      throw new CarillonError(
        "TOPIC_NOT_FOUND",
        `The publisher's topic ${topicName} was deleted: create it again.`,
      );
    }
    const categories = await store.findCategories(id, wanted);
    const found: string[] = [];
    for (const name of new Set(categories.map((it) => it.topicName))) {
      // Of a topic that was deleted since there are no subscribers.
      if (await store.findTopic(projectId, name)) found.push(name);
    }
    return found;
  }

  return {
    async create(projectId, request) {
      const name = checkPublisherName(request.name);
      if (await store.findPublisher(projectId, name)) throw publisherExists();
      if (request.topic === undefined) {
        const why = (await isOfPublisher(projectId, name))
          ? "is another publisher's"
          : (await isFollowed(projectId, name)) && "is there with subscribers";
        if (why) {
          throw new CarillonError(
            "PUBLISHER_INVALID",
            `Invalid name: the topic ${name} ${why}; give it as the topic to use it, or choose another name.`,
          );
        }
      }
      // A crash behind this leaves a topic without subscribers: the next attempt
      // takes it.
      const topicName = await adoptTopic(projectId, request.topic ?? name);
      const secret = secrets.make();
      const account = await store.addPublisher({
        id: ports.newId(),
        projectId,
        name,
        secretHash: secrets.hash(secret),
        topicName,
        createdAt: clock.now(),
      });
      if (!account) throw publisherExists();
      return { account, secret };
    },
    list: async (projectId, page) =>
      await store.listPublishers(projectId, toPage(page)),
    get,
    setDisabled: (projectId, name, disabled) =>
      change(projectId, name, { disabled }),
    async rotateSecret(projectId, name) {
      const secret = secrets.make();
      const secretHash = secrets.hash(secret);
      return { account: await change(projectId, name, { secretHash }), secret };
    },
    async remove(projectId, name) {
      if (!(await store.deletePublisher(projectId, name))) {
        throw publisherNotFound();
      }
    },
    async addCategory(projectId, name, request) {
      const publisher = await get(projectId, name);
      const reference = checkReference(request.reference);
      const [known] = await store.findCategories(publisher.id, [reference]);
      if (known) {
        // It may have been deleted.
        await topics.create(projectId, { name: known.topicName });
        return { category: known, created: false };
      }
      const ownName = await defaultTopic(publisher, reference);
      if (
        request.topic === undefined &&
        (await isFollowed(projectId, ownName))
      ) {
        throw new CarillonError(
          "CATEGORY_INVALID",
          `Invalid category: the topic ${ownName} is there with subscribers; give it as the topic to use it, or another one.`,
        );
      }
      const topicName = await adoptTopic(projectId, request.topic ?? ownName);
      if (topicName === publisher.topicName) {
        throw new CarillonError(
          "CATEGORY_INVALID",
          `Invalid topic: ${topicName} is the publisher's own, to which ${allCategories} publishes; name another one.`,
        );
      }
      const uses = await store.listTopicUses(projectId, [topicName]);
      const other = uses.find((use) => use.reference !== allCategories);
      if (other) {
        throw new CarillonError(
          "CATEGORY_INVALID",
          `Invalid topic: ${topicName} is that of the category ${JSON.stringify(other.reference)} of the publisher ${other.publisher}; name another one.`,
        );
      }
      return await store.addCategory(
        {
          publisherId: publisher.id,
          reference,
          topicName,
          createdAt: clock.now(),
        },
        maxCategoriesOfPublisher,
      );
    },
    async listCategories(projectId, name) {
      const { id } = await get(projectId, name);
      const listed: ListedCategory[] = [];
      for (const category of await store.listCategories(id)) {
        const topic = await store.findTopic(projectId, category.topicName);
        listed.push(topic ? category : { ...category, isTopicDeleted: true });
      }
      return listed;
    },
    async removeCategory(projectId, name, reference) {
      const { id } = await get(projectId, name);
      if (!(await store.deleteCategory(id, reference))) {
        throw categoryNotFound(reference);
      }
    },
    async authenticate(id, secret) {
      // Access keys are held against accounts first, on every request.
      if (!isHexId(id)) return undefined;
      // It has the form of one.
      const found = await store.findPublisherById(id as PublisherId);
      return (await isHolder(found, secret)) ? found : undefined;
    },
    async publish(account, categories, request, { signal } = {}) {
      const { projectId } = account;
      const names = await topicsOf(account, categories);
      const urns = names.map((name) => topics.urnOf({ projectId, name }));
      const [first, ...others] = urns;
      if (first === undefined) return { counts: nobody };
      const { publisher } = engine;
      const published =
        others.length === 0
          ? await publisher.publish(projectId, first, request)
          : await publisher.publishToSeveral(
              projectId,
              urns,
              request,
              maxCategoriesOfMessage,
            );
      const { notBefore } = request;
      if (notBefore !== undefined && notBefore > clock.now()) {
        return { published };
      }
      const report = await engine.whenFannedOut(
        projectId,
        published.messageId,
        { withinMs: fanOutWaitMs, signal },
      );
      return { counts: report ? toCounts(report) : nobody, published };
    },
  };
}

/** Who was filtered out was not meant. */
function toCounts({ counts, unqueued = 0 }: MessageReport): PublicationCounts {
  const { filtered: _, ...meant } = counts;
  const total = Object.values(meant).reduce((sum, count) => sum + count, 0);
  return { passed: total - unqueued, failed: unqueued, total };
}

/** It is a topic's name, too, unless another one is given. */
function checkPublisherName(name: unknown): string {
  if (typeof name === "string" && publisherName.test(name)) return name;
  throw new CarillonError(
    "PUBLISHER_INVALID",
    "Invalid name: 1 to 128 letters, digits, '-' or '_', starting with a letter or digit, are expected.",
  );
}

const publisherName = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;

function checkReference(reference: unknown): string {
  if (
    typeof reference === "string" &&
    reference !== "" &&
    reference !== allCategories &&
    reference.length <= maxCategoryLength &&
    reference.isWellFormed() &&
    isStorable(reference)
  ) {
    return reference;
  }
  throw new CarillonError(
    "CATEGORY_INVALID",
    `Invalid reference: 1 to ${maxCategoryLength} characters are expected, other than ${allCategories} alone, which stands for all subscribers.`,
  );
}

/** What can be read of a reference in a topic's name. */
function toSlug(reference: string): string {
  return reference
    .slice(0, 100)
    .replaceAll(/[^A-Za-z0-9_-]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
}

function publisherExists(): CarillonError {
  return new CarillonError(
    "PUBLISHER_EXISTS",
    "The project has a publisher of that name already: choose another name.",
  );
}

export function publisherNotFound(): CarillonError {
  return new CarillonError(
    "PUBLISHER_NOT_FOUND",
    "The project has no publisher of that name.",
  );
}

export function categoryNotFound(reference: string): CarillonError {
  return new CarillonError(
    "CATEGORY_NOT_FOUND",
    `The publisher has no category ${JSON.stringify(reference)}: add it first.`,
  );
}
