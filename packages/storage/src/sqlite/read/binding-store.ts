/** What is bound to topics, in SQLite. */

import {
  type BindingData,
  type BindingKind,
  type BindingStore,
  CarillonError,
} from "@carillon/core";
import type { Connections } from "../connections.ts";
import { bindingCodes } from "../schema/codes.ts";
import { ReadCache } from "./read-cache.ts";

type BindingRow = [
  id: string,
  data: string,
  createdAt: number,
  updatedAt: number,
  topicId: string,
];

export function createBindingStore({
  reader,
  writer,
}: Connections): BindingStore {
  /** Asked on every publish. Parameters: topic, kind. Index: the primary key. */
  const find = reader.prepare<BindingRow>(
    `SELECT b.id, b.data, b.created_at, b.updated_at, t.id
     FROM topic_bindings AS b JOIN topics AS t ON t.seq = b.topic_seq
     WHERE b.topic_seq = ? AND b.kind = ?`,
  );

  const known = new ReadCache<BindingRow>();

  return {
    async addBinding(topicSeq, kind, { id, data, createdAt }) {
      const result = await known.afterWrite(
        writer.run(
          "addBinding",
          topicSeq,
          bindingCodes[kind],
          id,
          JSON.stringify(data),
          createdAt,
        ),
      );
      if (result === "TOPIC_NOT_FOUND") {
        throw new CarillonError(result, "The topic was deleted meanwhile.");
      }
      return result;
    },
    async findBinding<Kind extends BindingKind>(topicSeq: number, kind: Kind) {
      const row = known.get(`${topicSeq} ${kind}`, () =>
        find.get(topicSeq, bindingCodes[kind]),
      );
      if (!row) return undefined;
      const [id, json, createdAt, updatedAt, topicId] = row;
      // Only addBinding and updateBinding write this column.
      const data = JSON.parse(json) as BindingData[Kind];
      return { id, topicId, data, createdAt, updatedAt };
    },
    updateBinding: (topicSeq, kind, id, { data, updatedAt }) =>
      known.afterWrite(
        writer.run(
          "updateBinding",
          topicSeq,
          bindingCodes[kind],
          id,
          JSON.stringify(data),
          updatedAt,
        ),
      ),
    removeBinding: (topicSeq, kind, id) =>
      known.afterWrite(
        writer.run("removeBinding", topicSeq, bindingCodes[kind], id),
      ),
  };
}
