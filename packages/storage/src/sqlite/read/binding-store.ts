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

/** Behind the topic's id. */
const kindAt = 1 + bindings.indexOf("kind");

export function createBindingStore({
  reader,
  writer,
}: Connections): BindingStore {
  /**
   * What is bound to a topic; read on every publish.
   * Parameters: topic. Index: the primary key.
   */
  const ofTopic = reader.prepare<BindingRow>(
    `SELECT t.id, ${bindings.columns("b")}
     FROM topic_bindings AS b JOIN topics AS t ON t.seq = b.topic_seq
     WHERE b.topic_seq = ?`,
  );
  /** By topic. */
  const rows = new ReadCache<number, readonly BindingRow[]>(writer, {
    staleBy: (change) =>
      change.kind === "topic" ? { key: change.topicSeq } : undefined,
  });

  function findRow(
    topicSeq: number,
    kind: BindingKind,
  ): BindingRow | undefined {
    let found = rows.find(topicSeq);
    if (found === undefined) {
      found = ofTopic.all(topicSeq);
      rows.set(topicSeq, found);
    }
    const code = bindingCodes[kind];
    return found.find((row) => row[kindAt] === code);
  }

  return {
    async addBinding(topicSeq, kind, binding) {
      const { createdAt } = binding;
      const result = await writer.run("addBinding", {
        ...binding,
        topicSeq,
        kind,
        updatedAt: createdAt,
      });
      if (result === "TOPIC_NOT_FOUND") {
        throw new CarillonError(result, "The topic was deleted meanwhile.");
      }
      return result;
    },
    async findBinding<Kind extends BindingKind>(topicSeq: number, kind: Kind) {
      const row = findRow(topicSeq, kind);
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
      writer.run("updateBinding", { ...change, topicSeq, kind, id }),
    removeBinding: (topicSeq, kind, id) =>
      writer.run("removeBinding", topicSeq, kind, id),
  };
}
