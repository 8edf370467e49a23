/** Detections in SQLite. */

import type { Clock, DetectionStore } from "@carillon/core";
import type { Connections } from "../connections.ts";
import { type DetectionRow, detections } from "../schema/detection-table.ts";

/** `clock`: on which tasks get older. */
export function createDetectionStore(
  { reader, writer }: Connections,
  clock: Pick<Clock, "now">,
): DetectionStore {
  /** Parameters: id, now. Index: that of UNIQUE. */
  const byId = reader.prepare<DetectionRow>(
    `SELECT ${detections.columns()} FROM detections
     WHERE id = ? AND ends_at > ?`,
  );
  return {
    addDetection: (task, bounds) =>
      writer.run("addDetection", task, bounds, clock.now()),
    settleDetection: (id, result) =>
      writer.run("settleDetection", id, result, clock.now()),
    async findDetection(id) {
      const now = clock.now();
      const row = byId.get(id, now);
      if (!row) return undefined;
      const { begunAt, endsAt: _, ...task } = detections.fromRow(row);
      return { ...task, ageMs: Math.max(0, now - begunAt) };
    },
    removeEndedDetections: (limit) =>
      writer.run("removeEndedDetections", clock.now(), limit),
  };
}
