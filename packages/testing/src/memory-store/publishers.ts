/** Publisher accounts of the in-memory store, and their categories. */

import {
  allCategories,
  CarillonError,
  type Category,
  type ProjectId,
  type PublisherId,
  type PublisherStore,
  type PullPublisher,
  type TopicUse,
  toCategoryNames,
} from "@carillon/core";
import { checkProject } from "./directory.ts";
import { equals } from "./lists.ts";
import type { CategoryRow } from "./rows.ts";
import type { Tables } from "./tables.ts";

export function createPublisherStore(tables: Tables): PublisherStore {
  const { publishers, deletedPublishers, categories, write } = tables;

  function find(projectId: ProjectId, name: string): PullPublisher | undefined {
    return publishers.list().find((it) => equals(it, { projectId, name }));
  }

  function findById(id: PublisherId): PullPublisher | undefined {
    return publishers.list().find((it) => it.id === id);
  }

  function listOwn(id: PublisherId): CategoryRow[] {
    return categories.list().filter(({ publisherId }) => publisherId === id);
  }

  function listUses(projectId: ProjectId, topicName: string): TopicUse[] {
    const isMeant = (it: PullPublisher | CategoryRow) =>
      equals(it, { projectId, topicName });
    const own = publishers.list().filter(isMeant);
    const ofCategories = categories.list().filter(isMeant);
    return [
      ...own.map(({ name: publisher }) => ({
        topicName,
        publisher,
        reference: allCategories,
      })),
      ...ofCategories.map(({ publisherId, reference }) => ({
        topicName,
        publisher: findById(publisherId)?.name ?? "",
        reference,
      })),
    ];
  }

  return {
    addPublisher: (publisher) =>
      write(() => {
        checkProject(tables, publisher.projectId);
        if (find(publisher.projectId, publisher.name)) return undefined;
        const seq = publishers.size + deletedPublishers.size + 1;
        return publishers.put(seq, { ...publisher, seq });
      }),
    findPublisher: async (projectId, name) => find(projectId, name),
    findPublisherById: async (id) => findById(id),
    async listPublishers(projectId, { limit, after = 0 }) {
      return publishers
        .list()
        .filter((it) => it.projectId === projectId && it.seq > after)
        .slice(0, limit);
    },
    updatePublisher: (projectId, name, change) =>
      write(() => {
        const known = find(projectId, name);
        if (!known) return undefined;
        const { disabled: wasDisabled = false, ...rest } = known;
        const { disabled = wasDisabled, secretHash = known.secretHash } =
          change;
        return publishers.put(known.seq, {
          ...rest,
          secretHash,
          ...(disabled && { disabled }),
        });
      }),
    deletePublisher: (projectId, name) =>
      write(() => {
        const known = find(projectId, name);
        if (!known) return false;
        removePublisher(tables, known);
        return true;
      }),
    addCategory: (category, quota) =>
      write(() => {
        const { publisherId } = category;
        const publisher = findById(publisherId);
        if (!publisher) throw new CarillonError("PUBLISHER_NOT_FOUND");
        const key = categoryKey(category);
        const known = categories.get(key);
        if (known) return { category: toCategory(known), created: false };
        if (listOwn(publisherId).length >= quota) {
          throw new CarillonError("CATEGORY_QUOTA_EXCEEDED");
        }
        const { projectId } = publisher;
        const row = categories.put(key, { ...category, projectId });
        return { category: toCategory(row), created: true };
      }),
    deleteCategory: (publisherId, reference) =>
      write(() => categories.delete(categoryKey({ publisherId, reference }))),
    listCategories: async (publisherId) => listOwn(publisherId).map(toCategory),
    findCategories: async (publisherId, references) =>
      listOwn(publisherId)
        .filter(({ reference }) => references.includes(reference))
        .map(toCategory),
    listTopicUses: async (projectId, topicNames) =>
      topicNames.flatMap((name) => listUses(projectId, name)),
    findCategoryNames: async (projectId, topicNames) =>
      toCategoryNames(topicNames.flatMap((name) => listUses(projectId, name))),
  };
}

export function removePublisher(
  { publishers, deletedPublishers, categories }: Tables,
  { seq, id }: PullPublisher,
): void {
  categories.deleteWhere(({ publisherId }) => publisherId === id);
  publishers.delete(seq);
  deletedPublishers.put(seq, {});
}

function categoryKey({
  publisherId,
  reference,
}: Pick<Category, "publisherId" | "reference">): string {
  return `${publisherId} ${reference}`;
}

function toCategory({ projectId: _, ...category }: CategoryRow): Category {
  return category;
}
