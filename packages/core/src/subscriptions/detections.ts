/**
 * HTTP detection: whether an endpoint can be reached from here, tried once in
 * the background. Tasks stand in the store for an hour, where each process finds
 * them; one whose process ended meanwhile counts as unanswered by its age.
 */

import { ConcurrencyLimit } from "../concurrency-limit.ts";
import { CarillonError } from "../errors.ts";
import { isHexId, type NewId, type ProjectId } from "../ids.ts";
import type {
  DetectionBounds,
  DetectionStore,
} from "../ports/detection-store.ts";
import { type Logger, silentLogger } from "../ports/logger.ts";
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

/** What became of a task. `overloaded`: too many waited, it was not run. */
export type DetectionResult = ProbeResult | { readonly kind: "overloaded" };

/** `pending`: not run yet. */
export type Detection = DetectionResult | { readonly kind: "pending" };

/** An endpoint as its owner names it; unchecked. */
export interface DetectRequest {
  readonly protocol: unknown;
  readonly endpoint: unknown;
  readonly extension?: ExtensionRequest | undefined;
}

/** Finds out whether an endpoint of http or https can be reached from here. */
export interface Detections extends AsyncDisposable {
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
  readonly store: DetectionStore;
  readonly newId: NewId;
  readonly probe: Probe;
  /** Default: writes nothing. */
  readonly logger?: Logger;
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

const bounds: DetectionBounds = { keptForMs: 3_600_000, maxOfProject: 1000 };

/**
 * A task without a result by then has lost its process: the last of those that
 * wait has its turn after 256 / 16 times 5 seconds.
 */
const maxPendingMs = 120_000;

const unanswered: DetectionResult = { kind: "unanswered" };
const overloaded: DetectionResult = { kind: "overloaded" };

/** Disposing it waits for results to be written; abort `stopped` before. */
export function createDetections(
  {
    topics,
    protocols,
    store,
    newId,
    probe,
    stopped,
    logger = silentLogger,
  }: DetectionsPorts,
  { maxRunning = 16, maxWaiting = 256 }: DetectionsOptions = {},
): Detections {
  const probes = new ConcurrencyLimit({ max: maxRunning, maxWaiting });
  const running = new Set<Promise<void>>();

  async function runProbe(request: ProbeRequest): Promise<DetectionResult> {
    try {
      return await probes.run(() => probe(request, stopped), {
        signal: stopped,
      });
    } catch (error) {
      if (stopped?.aborted) return unanswered;
      // Others came first while the task was written.
      if (error instanceof CarillonError && error.code === "OVERLOADED") {
        return overloaded;
      }
      throw error;
    }
  }

  /** A crash in here, or a store that fails, leaves the task to its age. */
  function run(id: string, request: ProbeRequest): void {
    const done = runProbe(request)
      .then((result) => store.settleDetection(id, result))
      .then(
        () => {},
        (error: unknown) => logger.warn("detection_not_kept", { error }),
      )
      .finally(() => running.delete(done));
    running.add(done);
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
      const task = { id: newId(), projectId, topicUrn };
      if (probes.isFull) {
        await store.addDetection({ ...task, result: overloaded }, bounds);
        return task.id;
      }
      await store.addDetection(task, bounds);
      run(task.id, { url, headers, topicUrn });
      return task.id;
    },
    async get(projectId, topicUrn, taskId) {
      await topics.get(projectId, topicUrn);
      const task = isHexId(taskId)
        ? await store.findDetection(taskId)
        : undefined;
      if (task?.projectId === projectId && task.topicUrn === topicUrn) {
        const { result, ageMs } = task;
        if (result) return result;
        return ageMs < maxPendingMs ? { kind: "pending" } : unanswered;
      }
      throw new CarillonError(
        "DETECTION_NOT_FOUND",
        "Detection task not found: results are kept for an hour.",
      );
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(running);
    },
  };
}
