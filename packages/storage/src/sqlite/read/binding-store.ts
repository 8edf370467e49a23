/** What is bound to topics, in SQLite. */

import {
  type BindingData,
  type BindingKind,
  type BindingStore,
  CarillonError,
} from "@carillon/core";
import type { Connections } from "../connections.ts";
import { bindings } from "../schema/binding-table.ts";
import { bindingCodes } from "../schema/codes.ts";
import type { SQLOutputValue } from "../schema/query.ts";
import { ReadCache } from "./read-cache.ts";

type BindingRow = readonly [topicId: string, ...SQLOutputValue[]];

export function createBindingStore({
  reader,
  writer,
}: Connections): BindingStore {
  /** Asked on every publish. Parameters: topic, kind. Index: the primary key. */
  const find = reader.prepare<BindingRow>(
    `SELECT t.id, ${bindings.columns("b")}
     FROM topic_bindings AS b JOIN topics AS t ON t.seq = b.topic_seq
     WHERE b.topic_seq = ? AND b.kind = ?`,
  );

  const known = new ReadCache<BindingRow>();

  return {
    async addBinding(topicSeq, kind, binding) {
      const { createdAt } = binding;
      const result = await known.afterWrite(
        writer.run("addBinding", {
          ...binding,
          topicSeq,
          kind,
          updatedAt: createdAt,
        }),
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
      // Read anew each time, for whoever gets the data may change it.
      const { id, data, createdAt, updatedAt } = bindings.fromRow(row, 1);
      return {
        id,
        topicId: row[0],
        // What was kept is of the kind that was asked for.
        data: data as BindingData[Kind],
        createdAt,
        updatedAt,
      };
    },
    updateBinding: (topicSeq, kind, id, change) =>
      known.afterWrite(
        writer.run("updateBinding", { ...change, topicSeq, kind, id }),
      ),
    removeBinding: (topicSeq, kind, id) =>
      known.afterWrite(writer.run("removeBinding", topicSeq, kind, id)),
  };
}
