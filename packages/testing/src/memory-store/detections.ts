/** Detections of the in-memory store. */

import { addMs, type DetectionStore } from "@carillon/core";
import type { Holds } from "./holds.ts";
import type { Tables } from "./tables.ts";

export function createDetectionStore(
  { detections, write }: Tables,
  holds: Holds,
): DetectionStore {
  function find(id: string) {
    const row = detections.get(id);
    return row && holds.now() < row.endsAt ? row : undefined;
  }

  function removeEnded(limit: number): number {
    const ended = detections
      .list()
      .filter(({ endsAt }) => endsAt <= holds.now())
      .slice(0, limit);
    for (const { id } of ended) detections.delete(id);
    return ended.length;
  }

  return {
    addDetection: (task, { keptForMs, maxOfProject }) =>
      write(() => {
        const begunAt = holds.now();
        const endsAt = addMs(begunAt, keptForMs);
        detections.put(task.id, { ...task, begunAt, endsAt });
        const ofProject = detections
          .list()
          .filter(({ projectId }) => projectId === task.projectId);
        for (const { id } of ofProject.slice(0, -maxOfProject)) {
          detections.delete(id);
        }
      }),
    settleDetection: (id, result) =>
      write(() => {
        const row = find(id);
        if (!row || row.result) return false;
        detections.put(id, { ...row, result });
        return true;
      }),
    async findDetection(id) {
      const row = find(id);
      if (!row) return undefined;
      const { begunAt, endsAt: _, ...task } = row;
      return { ...task, ageMs: Math.max(0, holds.now() - begunAt) };
    },
    removeEndedDetections: (limit) => write(() => removeEnded(limit)),
  };
}
