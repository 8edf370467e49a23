/** Writes of detections. */

import type { DatabaseSync } from "node:sqlite";
import type {
  DetectionBounds,
  DetectionResult,
  EpochMs,
  NewDetection,
} from "@carillon/core";
import { toEpochMs } from "@carillon/core/rules";
import { detections } from "../schema/detection-table.ts";

/** Tasks that have ended and go with a new one. */
const removedWithEach = 4;

export function createDetectionWrites(db: DatabaseSync) {
  const insert = db.prepare(detections.insert);
  /** Parameters: project, how many stay. Index: detections_of_project. */
  const removeOldest = db.prepare(
    `DELETE FROM detections WHERE seq IN
       (SELECT seq FROM detections WHERE project_id = ?
        ORDER BY seq DESC LIMIT -1 OFFSET ?)`,
  );
  /** Parameters: now, how many. Index: detections_end. */
  const removeEnded = db.prepare(
    `DELETE FROM detections WHERE seq IN
       (SELECT seq FROM detections WHERE ends_at <= ? LIMIT ?)`,
  );
  /** Parameters: result, id, now. */
  const settle = db.prepare(
    `UPDATE detections SET result = ?
     WHERE id = ? AND result IS NULL AND ends_at > ?`,
  );
  return {
    addDetection(
      task: NewDetection,
      { keptForMs, maxOfProject }: DetectionBounds,
      begunAt: EpochMs,
    ): void {
      const endsAt = toEpochMs(begunAt + keptForMs);
      removeEnded.run(begunAt, removedWithEach);
      insert.run(...detections.toRow({ ...task, begunAt, endsAt }));
      removeOldest.run(task.projectId, maxOfProject);
    },
    settleDetection: (
      id: string,
      result: DetectionResult,
      now: EpochMs,
    ): boolean => settle.run(JSON.stringify(result), id, now).changes > 0,
    removeEndedDetections: (now: EpochMs, limit: number): number =>
      Number(removeEnded.run(now, limit).changes),
  };
}
