/** Projects that were deleted while something was about to be made in them. */

import type { DatabaseSync } from "node:sqlite";
import { prepareQuery } from "../schema/query.ts";

/** Answers whether a project was deleted: one look at a primary key. */
export function createDeletedProjectCheck(
  db: DatabaseSync,
): (projectId: string) => boolean {
  const find = prepareQuery<[one: number]>(
    db,
    "SELECT 1 FROM deleted_projects WHERE id = ?",
  );
  return (projectId) => find.get(projectId) !== undefined;
}
