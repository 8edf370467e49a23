/** Imports in SQLite: kept by the writer, looked up here. */

import { type MessageImportStore, urgencyOf } from "@carillon/core";
import type { Connections } from "../connections.ts";
import {
  type ImportRow,
  imports,
  toImportValues,
} from "../schema/import-table.ts";

export function createImportStore({
  reader,
  writer,
}: Connections): MessageImportStore {
  /** Parameters: project, name. Index: the primary key. */
  const find = reader.prepare<ImportRow>(
    `SELECT ${imports.columns()} FROM imports
     WHERE project_id = ? AND name = ?`,
  );
  return {
    async findImport(projectId, name) {
      const row = find.get(projectId, name);
      return row && imports.fromRow(row);
    },
    async importMessages(batch) {
      const values = toImportValues(batch, urgencyOf);
      const { isKept, progress: row } = await writer.run(
        "importMessages",
        values,
      );
      const progress = row ? imports.fromRow(row) : undefined;
      if (!isKept) return { kind: "conflict", progress };
      if (progress) return { kind: "kept", progress };
      throw new Error("An import has no position.");
    },
  };
}
