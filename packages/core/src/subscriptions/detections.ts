/**
 * HTTP detection: whether an endpoint can be reached from here, tried once in
 * the background. Tasks live in memory for an hour; a restart loses them.
 */

import { ConcurrencyLimit } from "../concurrency-limit.ts";
import { CarillonError } from "../errors.ts";
import type { NewId, ProjectId } from "../ids.ts";
import type { Clock } from "../ports/clock.ts";
import type { EpochMs } from "../time.ts";
import type { Topics } from "../topics/topics.ts";
import { checkEndpoint, checkExtension, type Protocols } from "./protocol.ts";
import type { ExtensionRequest } from "./subscription.ts";

/** What a probe is sent to. */
export interface ProbeRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly topicUrn: string;
}

/** What came of one. */
export type ProbeResult =
  | {
      readonly kind: "answered";
      readonly statusCode: number;
      /** The beginning of the body. */
      readonly text: string;
    }
  /** The endpoint is in a network that is not allowed. */
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "unanswered" };

/**
 * Makes one request; never rejects and answers within seconds. An abort closes
 * its connection, and is answered as `unanswered`.
 */
export type Probe = (
  request: ProbeRequest,
  signal?: AbortSignal,
) => Promise<ProbeResult>;

/** `pending`: not run yet. `overloaded`: too many waited. */
export type Detection =
  | ProbeResult
  | { readonly kind: "pending" }
  | { readonly kind: "overloaded" };

/** An endpoint as its owner names it; unchecked. */
export interface DetectRequest {
  readonly protocol: unknown;
  readonly endpoint: unknown;
  readonly extension?: ExtensionRequest | undefined;
}

/** Finds out whether an endpoint of http or https can be reached from here. */
export interface Detections {
  /**
   * Begins a detection and answers the task's id.
   *
   * @throws CarillonError TOPIC_URN_INVALID, TOPIC_NOT_FOUND,
   * PROTOCOL_INVALID, ENDPOINT_INVALID, SUBSCRIPTION_INVALID
   */
  begin(
    projectId: ProjectId,
    topicUrn: string,
    request: DetectRequest,
  ): Promise<string>;
  /**
   * @throws CarillonError TOPIC_URN_INVALID, TOPIC_NOT_FOUND,
   * DETECTION_NOT_FOUND
   */
  get(
    projectId: ProjectId,
    topicUrn: string,
    taskId: string,
  ): Promise<Detection>;
}

export interface DetectionsPorts {
  readonly topics: Topics;
  readonly protocols: Protocols;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly probe: Probe;
  /**
   * Aborted when the process stops: probes under way end, and those that wait
   * are not made. They count as `unanswered`.
   */
  readonly stopped?: AbortSignal;
}

export interface DetectionsOptions {
  /** Probes under way at once. Default 16. */
  readonly maxRunning?: number;
  /** Probes that may wait; more are not made at all. Default 256. */
  readonly maxWaiting?: number;
}

interface Task {
  readonly projectId: ProjectId;
  readonly topicUrn: string;
  readonly begunAt: EpochMs;
  detection: Detection;
}

const keptForMs = 3_600_000;
/** Tasks kept at most: beyond it the oldest is removed before its hour. */
const maxTasks = 20_000;

/** Builds the detections of one process: they live in its memory. */
export function createDetections(
  { topics, protocols, clock, newId, probe, stopped }: DetectionsPorts,
  { maxRunning = 16, maxWaiting = 256 }: DetectionsOptions = {},
): Detections {
  /** Oldest first. */
  const tasks = new Map<string, Task>();
  const probes = new ConcurrencyLimit({ max: maxRunning, maxWaiting });

  async function run(task: Task, request: ProbeRequest): Promise<void> {
    try {
      await probes.run(
        async () => {
          task.detection = await probe(request, stopped);
        },
        { signal: stopped },
      );
    } catch (error) {
      if (!stopped?.aborted) throw error;
      task.detection = { kind: "unanswered" };
    }
  }

  function removeOld(): void {
    for (const [id, { begunAt }] of tasks) {
      const isOld = clock.now() - begunAt >= keptForMs;
      if (!isOld && tasks.size <= maxTasks) break;
      tasks.delete(id);
    }
  }

  return {
    async begin(projectId, topicUrn, { protocol, endpoint, extension }) {
      await topics.get(projectId, topicUrn);
      const checked = protocols.ofSmn.check(protocol);
      if (!checked.isUrl) {
        const probed = protocols.ofSmn.all.filter(({ isUrl }) => isUrl);
        throw new CarillonError(
          "PROTOCOL_INVALID",
          `Invalid protocol: only endpoints of ${probed.map(({ name }) => name).join(" and ")} are detected.`,
        );
      }
      const url = checkEndpoint(checked, endpoint);
      const { header: headers = {} } = checkExtension(checked, extension);
      const task: Task = {
        projectId,
        topicUrn,
        begunAt: clock.now(),
        detection: { kind: "pending" },
      };
      const id = newId();
      tasks.set(id, task);
      removeOld();
      if (probes.isFull) task.detection = { kind: "overloaded" };
      else void run(task, { url, headers, topicUrn });
      return id;
    },
    async get(projectId, topicUrn, taskId) {
      await topics.get(projectId, topicUrn);
      removeOld();
      const task = tasks.get(taskId);
      if (task?.projectId === projectId && task.topicUrn === topicUrn) {
        return task.detection;
      }
      throw new CarillonError(
        "DETECTION_NOT_FOUND",
        "Detection task not found: results are kept for an hour.",
      );
    },
  };
}
