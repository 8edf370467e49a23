/**
 * Rows of the change feed. `data` is JSON: `d` holds deliveries as numbers
 * (message, state, how many bounds of runs follow, the bounds; and so on), `o`
 * other occurrences as [type, project, about, the message whose status URL is
 * told too]. Either is absent when there are none.
 */

import type {
  Change,
  ChangeBatch,
  Occurrence,
  OccurrenceType,
  ProjectId,
} from "@carillon/core";
import { epochMs } from "./codec.ts";
import { stateOf } from "./codes.ts";

export type OccurrenceData = readonly [
  type: OccurrenceType,
  projectId: ProjectId,
  about: Occurrence["about"],
  ofMessage?: number,
];

export type ChangeRow = readonly [seq: number, at: number, data: string];

interface ChangeData {
  readonly d?: readonly number[];
  readonly o?: readonly OccurrenceData[];
}

export function encodeChanges(
  deliveries: readonly number[],
  occurrences: readonly OccurrenceData[],
): string {
  if (occurrences.length === 0) return `{"d":[${deliveries.join(",")}]}`;
  const data: ChangeData = {
    ...(deliveries.length > 0 && { d: deliveries }),
    o: occurrences,
  };
  return JSON.stringify(data);
}

/** A row that cannot be read, of a damaged database, is a batch that says so. */
export function toChangeBatch([seq, at, data]: ChangeRow): ChangeBatch {
  const position = String(seq);
  try {
    return { position, at: epochMs.decode(at), changes: decodeChanges(data) };
  } catch (unreadable) {
    return { position, at: epochMs.decode(0), changes: [], unreadable };
  }
}

function decodeChanges(data: string): Change[] {
  // Only encodeChanges writes this column.
  const { d = [], o = [] } = JSON.parse(data) as ChangeData;
  const changes: Change[] = [];
  for (let n = 0; n + 2 < d.length; ) {
    const [messageSeq = 0, state = 0, length = 0] = [d[n], d[n + 1], d[n + 2]];
    n += 3;
    changes.push({
      kind: "deliveries",
      messageSeq,
      state: stateOf(state),
      runs: d.slice(n, n + length),
    });
    n += length;
  }
  for (const [type, projectId, about, ofMessage] of o) {
    const kind = "occurrence";
    changes.push(
      ofMessage === undefined
        ? { kind, type, projectId, about }
        : { kind, type, projectId, about, ofMessage },
    );
  }
  return changes;
}
