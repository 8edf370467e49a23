/** Publisher accounts and their categories in SQLite. */

import {
  allCategories,
  CarillonError,
  type Category,
  type ProjectId,
  type PublisherStore,
  type TopicUse,
  toCategoryNames,
} from "@carillon/core";
import type { Connections } from "../connections.ts";
import {
  categories,
  type PublisherRow,
  publishers,
} from "../schema/publisher-table.ts";
import type { RowOf } from "../schema/table.ts";

type CategoryRow = RowOf<Category>;

export function createPublisherStore({
  reader,
  writer,
}: Connections): PublisherStore {
  /** Parameters: project, name. Index: publishers_name. */
  const byName = reader.prepare<PublisherRow>(
    `SELECT ${publishers.columns()} FROM publishers
     WHERE project_id = ? AND name = ?`,
  );
  /** For credentials, on every publish. Parameters: id. Index: publishers_id. */
  const byId = reader.prepare<PublisherRow>(
    `SELECT ${publishers.columns()} FROM publishers WHERE id = ?`,
  );
  /** Parameters: project, after, limit. Index: publishers_of_project. */
  const ofProject = reader.prepare<PublisherRow>(
    `SELECT ${publishers.columns()}
     FROM publishers INDEXED BY publishers_of_project
     WHERE project_id = ? AND seq > ? ORDER BY seq LIMIT ?`,
  );
  /** Parameters: publisher. Index: categories_reference. */
  const ofPublisher = reader.prepare<CategoryRow>(
    `SELECT ${categories.columns()} FROM categories
     WHERE publisher_id = ? ORDER BY seq`,
  );
  /**
   * On every publish, for each reference.
   * Parameters: publisher, reference. Index: categories_reference.
   */
  const byReference = reader.prepare<CategoryRow>(
    `SELECT ${categories.columns()} FROM categories
     WHERE publisher_id = ? AND reference = ?`,
  );
  /** Parameters: project, topic. Index: publishers_topic. */
  const ownersOf = reader.prepare<[publisher: string]>(
    `SELECT name FROM publishers INDEXED BY publishers_topic
     WHERE project_id = ? AND topic_name = ? ORDER BY seq`,
  );
  /** Parameters: project, topic. Indexes: categories_topic, publishers_id. */
  const categoriesOf = reader.prepare<[publisher: string, reference: string]>(
    `SELECT p.name, c.reference
     FROM categories AS c INDEXED BY categories_topic
     CROSS JOIN publishers AS p ON p.id = c.publisher_id
     WHERE c.project_id = ? AND c.topic_name = ? ORDER BY c.seq`,
  );

  function listUses(
    projectId: ProjectId,
    topicNames: readonly string[],
  ): TopicUse[] {
    return topicNames.flatMap((topicName) => [
      ...ownersOf.all(projectId, topicName).map(([publisher]) => ({
        topicName,
        publisher,
        reference: allCategories,
      })),
      ...categoriesOf
        .all(projectId, topicName)
        .map(([publisher, reference]) => ({ topicName, publisher, reference })),
    ]);
  }

  return {
    async addPublisher(publisher) {
      const row = await writer.run("addPublisher", publisher);
      if (row === "PROJECT_DELETED") throw new CarillonError(row);
      return row && publishers.fromRow(row);
    },
    async findPublisher(projectId, name) {
      const row = byName.get(projectId, name);
      return row && publishers.fromRow(row);
    },
    async findPublisherById(id) {
      const row = byId.get(id);
      return row && publishers.fromRow(row);
    },
    async listPublishers(projectId, { limit, after = 0 }) {
      return ofProject
        .all(projectId, after, limit)
        .map((row) => publishers.fromRow(row));
    },
    async updatePublisher(projectId, name, change) {
      const row = await writer.run("updatePublisher", projectId, name, change);
      return row && publishers.fromRow(row);
    },
    deletePublisher: (projectId, name) =>
      writer.run("deletePublisher", projectId, name),
    async addCategory(category, quota) {
      const result = await writer.run("addCategory", category, quota);
      switch (result) {
        case "PUBLISHER_NOT_FOUND":
          throw new CarillonError(
            result,
            "The publisher was deleted meanwhile.",
          );
        case "CATEGORY_QUOTA_EXCEEDED":
          throw new CarillonError(
            result,
            `The publisher has ${quota} categories, as many as it may: delete one first.`,
          );
        case true:
          return { category, created: true };
        default:
          return { category: categories.fromRow(result), created: false };
      }
    },
    deleteCategory: (publisherId, reference) =>
      writer.run("deleteCategory", publisherId, reference),
    async listCategories(publisherId) {
      return ofPublisher.all(publisherId).map((row) => categories.fromRow(row));
    },
    async findCategories(publisherId, references) {
      return references.flatMap((reference) => {
        const row = byReference.get(publisherId, reference);
        return row ? [categories.fromRow(row)] : [];
      });
    },
    listTopicUses: async (...topics) => listUses(...topics),
    findCategoryNames: async (...topics) =>
      toCategoryNames(listUses(...topics)),
  };
}
