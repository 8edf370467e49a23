/** Writes of publisher accounts and their categories. */

import type { DatabaseSync } from "node:sqlite";
import type {
  Category,
  NewPullPublisher,
  ProjectId,
  PullPublisherChange,
} from "@carillon/core";
import {
  categories,
  newCategories,
  newPublishers,
  type PublisherRow,
  publishers,
} from "../schema/publisher-table.ts";
import { orNull, prepareQuery } from "../schema/query.ts";
import type { RowOf } from "../schema/table.ts";
import { createDeletedProjectCheck } from "./deleted-projects.ts";

type CategoryRow = RowOf<Category>;

export function createPublisherWrites(db: DatabaseSync) {
  const isDeletedProject = createDeletedProjectCheck(db);
  const insert = db.prepare(`${newPublishers.insert} ON CONFLICT DO NOTHING`);
  /** Parameters: project, name. Index: publishers_name. */
  const byName = prepareQuery<PublisherRow>(
    db,
    `SELECT ${publishers.columns()} FROM publishers
     WHERE project_id = ? AND name = ?`,
  );
  /** Parameters: hash or NULL, flag or NULL, project, name. */
  const update = db.prepare(
    `UPDATE publishers SET secret_hash = coalesce(?, secret_hash),
       disabled = coalesce(?, disabled)
     WHERE project_id = ? AND name = ?`,
  );
  /** Parameters: project, name. Index: publishers_name. */
  const remove = prepareQuery<[id: string]>(
    db,
    "DELETE FROM publishers WHERE project_id = ? AND name = ? RETURNING id",
  );
  const removeCategories = db.prepare(
    "DELETE FROM categories WHERE publisher_id = ?",
  );
  /** Parameters: id. Index: publishers_id. */
  const projectOf = prepareQuery<[projectId: ProjectId]>(
    db,
    "SELECT project_id FROM publishers WHERE id = ?",
  );
  /** Parameters: publisher, reference. Index: categories_reference. */
  const byReference = prepareQuery<CategoryRow>(
    db,
    `SELECT ${categories.columns()} FROM categories
     WHERE publisher_id = ? AND reference = ?`,
  );
  /** Parameters: publisher. Index: categories_reference. */
  const countOf = prepareQuery<[count: number]>(
    db,
    "SELECT count(*) FROM categories WHERE publisher_id = ?",
  );
  const insertCategory = db.prepare(newCategories.insert);
  const removeCategory = db.prepare(
    "DELETE FROM categories WHERE publisher_id = ? AND reference = ?",
  );

  return {
    addPublisher(
      publisher: NewPullPublisher,
    ): PublisherRow | undefined | "PROJECT_DELETED" {
      const { projectId, name } = publisher;
      if (isDeletedProject(projectId)) return "PROJECT_DELETED";
      const { changes } = insert.run(...newPublishers.toRow(publisher));
      return changes === 0 ? undefined : byName.get(projectId, name);
    },
    updatePublisher(
      projectId: string,
      name: string,
      { secretHash, disabled }: PullPublisherChange,
    ): PublisherRow | undefined {
      const isOff = disabled === undefined ? null : Number(disabled);
      update.run(orNull(secretHash), isOff, projectId, name);
      return byName.get(projectId, name);
    },
    deletePublisher(projectId: string, name: string): boolean {
      const [id] = remove.get(projectId, name) ?? [];
      if (id === undefined) return false;
      removeCategories.run(id);
      return true;
    },
    /** Answers the row of the one that there is. */
    addCategory(
      category: Category,
      quota: number,
    ): CategoryRow | true | "PUBLISHER_NOT_FOUND" | "CATEGORY_QUOTA_EXCEEDED" {
      const { publisherId, reference } = category;
      const [projectId] = projectOf.get(publisherId) ?? [];
      if (projectId === undefined) return "PUBLISHER_NOT_FOUND";
      const known = byReference.get(publisherId, reference);
      if (known) return known;
      const [count] = countOf.get(publisherId) ?? [0];
      if (count >= quota) return "CATEGORY_QUOTA_EXCEEDED";
      insertCategory.run(...newCategories.toRow({ ...category, projectId }));
      return true;
    },
    deleteCategory(publisherId: string, reference: string): boolean {
      return removeCategory.run(publisherId, reference).changes > 0;
    },
  };
}
