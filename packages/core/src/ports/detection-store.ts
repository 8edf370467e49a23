import type { ProjectId } from "../ids.ts";
import type { DetectionResult } from "../subscriptions/detections.ts";

/** A task that begins, or that is not run at all. */
export interface NewDetection {
  readonly id: string;
  readonly projectId: ProjectId;
  readonly topicUrn: string;
  /** Absent: it is being run. */
  readonly result?: DetectionResult;
}

/** A task as it stands. */
export interface KeptDetection extends NewDetection {
  /** Since it was added, on the store's clock. */
  readonly ageMs: number;
}

export interface DetectionBounds {
  /** After it a task is not found any more. Milliseconds. */
  readonly keptForMs: number;
  /** Tasks of one project; beyond it the oldest go. */
  readonly maxOfProject: number;
}

/** Tasks of detections, for all processes on a store. */
export interface DetectionStore {
  /** A few tasks that have ended go with it. */
  addDetection(task: NewDetection, bounds: DetectionBounds): Promise<void>;
  /** Answers false when there is no such task, or it has a result already. */
  settleDetection(id: string, result: DetectionResult): Promise<boolean>;
  findDetection(id: string): Promise<KeptDetection | undefined>;
  /** Removes tasks that have ended, `limit` at most; answers how many. */
  removeEndedDetections(limit: number): Promise<number>;
}
