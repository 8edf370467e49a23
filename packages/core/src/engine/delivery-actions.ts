/**
 * What operators do to deliveries: to one at once, or to all that match a filter
 * by a job.
 */

import { CarillonError } from "../errors.ts";
import {
  isHexId,
  type MessageId,
  type NewId,
  type ProjectId,
  parseDeliveryId,
} from "../ids.ts";
import type { ErrorClass } from "../messages/delivery.ts";
import type { ActionRules, Actor } from "../messages/delivery-action.ts";
import {
  actionStates,
  type DeliveryFilter,
  type DeliveryJob,
  defaultActionStates,
  isForMessages,
  type NewDeliveryJob,
} from "../messages/delivery-job.ts";
import type {
  DeliveryAction,
  DeliveryState,
} from "../messages/delivery-state.ts";
import { parseLifeSeconds } from "../messages/message.ts";
import type { Clock } from "../ports/clock.ts";
import type {
  DeliveryActionStore,
  WalkLimits,
  WalkPosition,
} from "../ports/delivery-action-store.ts";
import type { Dispatcher } from "../ports/dispatcher.ts";
import type { MessageReader, MessageReport } from "../ports/message-store.ts";
import type { Protocol, Protocols } from "../subscriptions/protocol.ts";
import { checkStorable } from "../text.ts";
import type { EpochMs } from "../time.ts";
import type { Topics } from "../topics/topics.ts";
import { cannotBe, checkCancellable, refusalOf } from "./action-refusals.ts";

export interface DeliveryActionPorts {
  readonly store: Pick<
    DeliveryActionStore,
    | "actOnDelivery"
    | "countDeliveries"
    | "countOpenMessages"
    | "createJob"
    | "findJob"
    | "listJobs"
    | "cancelJob"
  > &
    Pick<MessageReader, "findMessage">;
  readonly topics: Pick<Topics, "get">;
  readonly dispatcher: Dispatcher;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly rules: ActionRules;
  readonly protocols: Pick<Protocols, "all" | "find">;
  /** A job was queued. */
  readonly onJob: () => void;
  /** A delivery was cancelled, which is on disk. Default: nobody is told. */
  readonly onCancelled?: (id: MessageId, target: number) => void;
}

/** An action on one delivery. */
export interface ActionRequest {
  readonly action: DeliveryAction;
  /** A new life from now on, in seconds; for resends. */
  readonly timeToLiveSeconds?: number | undefined;
  /** Why, for the delivery's history; at most 500 characters. */
  readonly reason?: string | undefined;
}

/** Which deliveries are meant; what is absent does not filter. */
export interface FilterRequest {
  readonly messageId?: string | undefined;
  readonly topicUrn?: string | undefined;
  readonly states?: readonly DeliveryState[] | undefined;
  readonly protocol?: Protocol | undefined;
  readonly endpoint?: string | undefined;
  readonly errorClass?: ErrorClass | undefined;
  readonly provider?: string | undefined;
  readonly since?: EpochMs | undefined;
  readonly until?: EpochMs | undefined;
}

/** An action on all deliveries that match a filter. */
export interface JobRequest extends ActionRequest {
  readonly filter: FilterRequest;
  readonly reason: string;
}

/** How many deliveries match; not exact: at least so many do. */
export interface DeliveryCount {
  readonly count: number;
  readonly isExact: boolean;
}

/** What a job would be for. */
export interface JobPreview extends DeliveryCount {
  /** Messages that are not fully fanned out, and that it would cancel as a whole. */
  readonly messages: number;
}

/** Resends, cancels and settles deliveries, and counts what a filter means. */
export interface DeliveryActions {
  /**
   * Acts on the delivery of an id; resolves once it is on disk.
   *
   * @throws CarillonError DELIVERY_NOT_FOUND, TIME_TO_LIVE_INVALID,
   * DELIVERY_STATE_CONFLICT, DELIVERY_UNWANTED, DELIVERY_EXPIRED, DELIVERY_NOT_QUEUED; then nothing
   * was changed
   */
  act(
    projectId: ProjectId,
    deliveryId: string,
    request: ActionRequest,
    by: Actor,
  ): Promise<void>;
  /**
   * Cancels a whole message: it is fanned out no further, and what waits of its
   * deliveries is cancelled by the job that is answered. Resolves once it is on
   * disk; engines begin no attempt of what they hold once they are told. Of two
   * operators at once the second one is refused.
   *
   * @throws CarillonError MESSAGE_NOT_FOUND, MESSAGE_STATE_CONFLICT,
   * JOB_QUOTA_EXCEEDED; then nothing was changed
   */
  cancelMessage(
    projectId: ProjectId,
    messageId: string,
    reason: string | undefined,
    by: Actor,
  ): Promise<DeliveryJob>;
  /**
   * Counts for a second at most.
   *
   * @throws CarillonError DELIVERY_FILTER_INVALID, MESSAGE_NOT_FOUND,
   * TOPIC_NOT_FOUND, TOPIC_URN_INVALID
   */
  preview(
    projectId: ProjectId,
    request: Pick<JobRequest, "action" | "filter">,
  ): Promise<JobPreview>;
  /**
   * Queues a job for the deliveries of messages that are there now.
   *
   * @throws CarillonError those of `preview`, TIME_TO_LIVE_INVALID,
   * JOB_QUOTA_EXCEEDED
   */
  createJob(
    projectId: ProjectId,
    request: JobRequest,
    by: Actor,
  ): Promise<DeliveryJob>;
  /** @throws CarillonError JOB_NOT_FOUND */
  getJob(projectId: ProjectId, id: string): Promise<DeliveryJob>;
  /** Newest first, starting behind the job of id `before`. */
  listJobs(
    projectId: ProjectId,
    page: { readonly limit: number; readonly before?: string | undefined },
  ): Promise<readonly DeliveryJob[]>;
  /**
   * Ends a job; what it changed stays.
   *
   * @throws CarillonError JOB_NOT_FOUND, JOB_OVER
   */
  cancelJob(projectId: ProjectId, id: string): Promise<DeliveryJob>;
}

/** How long a preview counts, in milliseconds. */
const maxPreviewMs = 1000;

/** Of one turn of the event loop: some five milliseconds. */
const previewLimits: WalkLimits = { maxMessages: 1000, maxDeliveries: 1000 };

/** Jobs of a project that are not over, less the cancellations of messages. */
const maxOpenJobs = 20;

/** Each is for one message, and soon over. */
const maxOpenCancellations = 1000;

/** Builds the actions on a store; what they make due is offered to engines. */
export function createDeliveryActions(
  ports: DeliveryActionPorts,
): DeliveryActions {
  const { store, topics, dispatcher, clock, newId, rules, protocols } = ports;

  /** @param isForMessages whether messages that are not fully fanned out count, too */
  async function count(
    projectId: ProjectId,
    filter: DeliveryFilter,
    isForMessages: boolean,
  ): Promise<JobPreview> {
    const until = clock.monotonic() + maxPreviewMs;
    const { maxMessages } = previewLimits;
    let total = 0;
    let messages = 0;
    let position: WalkPosition | undefined;
    do {
      const { count, next } = await store.countDeliveries(
        projectId,
        filter,
        position,
        previewLimits,
      );
      total += count;
      if (isForMessages) {
        const step = { from: position, to: next, maxMessages };
        messages += await store.countOpenMessages(projectId, filter, step);
      }
      position = next;
      if (position === undefined) {
        return { count: total, isExact: true, messages };
      }
      await clock.nextTurn();
    } while (clock.monotonic() < until);
    return { count: total, isExact: false, messages };
  }

  async function toFilter(
    projectId: ProjectId,
    action: DeliveryAction,
    request: FilterRequest,
  ): Promise<DeliveryFilter> {
    const { messageId, topicUrn, protocol, endpoint, provider } = request;
    const { errorClass, since, until } = request;
    if (since !== undefined && until !== undefined && since >= until) {
      throw invalidFilter("since must be before until");
    }
    if (protocol !== undefined && !protocols.find(protocol)) {
      const names = protocols.all.map(({ name }) => name).join(", ");
      throw invalidFilter(`protocol must be one of ${names}`);
    }
    const message =
      messageId === undefined
        ? undefined
        : await findMessage(projectId, messageId);
    const topic =
      topicUrn === undefined
        ? undefined
        : await topics.get(projectId, topicUrn);
    return {
      ...(message && { messageSeq: message.message.seq }),
      ...(topic && { topicSeq: topic.seq }),
      ...(since !== undefined && { since }),
      ...(until !== undefined && { until }),
      states: statesOf(action, request.states),
      ...(protocol !== undefined && { protocol }),
      ...(endpoint !== undefined && {
        endpoint: storable(endpoint, "endpoint"),
      }),
      ...(errorClass !== undefined && { errorClass }),
      ...(provider !== undefined && {
        provider: storable(provider, "provider"),
      }),
    };
  }

  async function findMessage(
    projectId: ProjectId,
    id: string,
  ): Promise<MessageReport> {
    const report = isHexId(id)
      ? await store.findMessage(projectId, id as MessageId)
      : undefined;
    if (report) return report;
    throw new CarillonError("MESSAGE_NOT_FOUND", "Message not found.");
  }

  async function queueJob(
    projectId: ProjectId,
    job: Pick<
      NewDeliveryJob,
      | "action"
      | "filter"
      | "cancelledMessage"
      | "shownFilter"
      | "timeToLiveSeconds"
      | "reason"
    >,
    by: Actor,
    quota: number,
  ): Promise<DeliveryJob> {
    const { count: total, isExact } = await count(projectId, job.filter, false);
    const queued = await store.createJob(
      {
        ...by,
        ...job,
        id: newId(),
        projectId,
        total,
        isTotalExact: isExact,
        createdAt: clock.now(),
      },
      quota,
    );
    ports.onJob();
    return queued;
  }

  async function getJob(projectId: ProjectId, id: string) {
    const job = isHexId(id) ? await store.findJob(projectId, id) : undefined;
    if (job) return job;
    throw new CarillonError("JOB_NOT_FOUND", "Job not found.");
  }

  return {
    async act(projectId, deliveryId, request, by) {
      const { action } = request;
      const id = parseDeliveryId(deliveryId);
      const timeToLiveSeconds = lifeOf(request);
      const reason = reasonText(request.reason);
      const report = id && (await store.findMessage(projectId, id.message));
      const now = clock.now();
      const result =
        report &&
        (await store.actOnDelivery(
          { messageSeq: report.message.seq, target: id.target },
          {
            action,
            now,
            ...rules,
            ...(timeToLiveSeconds !== undefined && { timeToLiveSeconds }),
          },
          { ...by, ...(reason !== undefined && { reason }) },
        ));
      if (!id || !result) {
        throw new CarillonError("DELIVERY_NOT_FOUND", "Delivery not found.");
      }
      if (result.refused !== undefined) throw refusalOf(action, result);
      if (result.state === "cancelled") {
        ports.onCancelled?.(id.message, id.target);
      }
      // Lost in a crash here: the sweeper finds the delivery.
      if (result.state === "retrying") {
        dispatcher.offer({ kind: "delivery", dueInMs: 0 });
      }
    },
    async cancelMessage(projectId, messageId, reason, by) {
      const report = await findMessage(projectId, messageId);
      checkCancellable(report);
      const { seq } = report.message;
      const states = actionStates("cancel");
      try {
        return await queueJob(
          projectId,
          {
            action: "cancel",
            filter: { messageSeq: seq, states },
            cancelledMessage: seq,
            shownFilter: { messageId, states },
            reason: reasonText(reason) ?? "",
          },
          by,
          maxOpenCancellations,
        );
      } catch (error) {
        // Another operator was first: this says who.
        if (isConflict(error)) {
          checkCancellable(await findMessage(projectId, messageId));
        }
        throw error;
      }
    },
    async preview(projectId, { action, filter: request }) {
      const filter = await toFilter(projectId, action, request);
      return await count(projectId, filter, isForMessages(action, filter));
    },
    async createJob(projectId, request, by) {
      const { action } = request;
      const timeToLiveSeconds = lifeOf(request);
      const reason = reasonText(request.reason) ?? "";
      const filter = await toFilter(projectId, action, request.filter);
      return await queueJob(
        projectId,
        {
          action,
          filter,
          shownFilter: { ...request.filter, states: filter.states },
          ...(timeToLiveSeconds !== undefined && { timeToLiveSeconds }),
          reason,
        },
        by,
        maxOpenJobs,
      );
    },
    getJob,
    async listJobs(projectId, { limit, before }) {
      const start =
        before === undefined ? undefined : await getJob(projectId, before);
      return await store.listJobs(projectId, {
        limit,
        ...(start && { before: start.seq }),
      });
    },
    async cancelJob(projectId, id) {
      const isCancelled = await store.cancelJob(projectId, id, clock.now());
      const job = await getJob(projectId, id);
      if (isCancelled) return job;
      throw new CarillonError(
        "JOB_OVER",
        `The job is over: it is ${job.state}. Nothing was changed.`,
      );
    },
  };
}

function statesOf(
  action: DeliveryAction,
  states: readonly DeliveryState[] | undefined,
): readonly DeliveryState[] {
  if (states === undefined || states.length === 0) {
    return defaultActionStates(action);
  }
  const allowed = actionStates(action);
  const wrong = states.find((state) => !allowed.includes(state));
  if (wrong === undefined) return [...new Set(states)];
  throw invalidFilter(cannotBe(action, wrong));
}

/** @throws CarillonError TIME_TO_LIVE_INVALID */
function lifeOf({ timeToLiveSeconds }: ActionRequest): number | undefined {
  return timeToLiveSeconds === undefined
    ? undefined
    : parseLifeSeconds(timeToLiveSeconds);
}

function isConflict(error: unknown): boolean {
  return (
    error instanceof CarillonError && error.code === "MESSAGE_STATE_CONFLICT"
  );
}

function invalidFilter(why: string): CarillonError {
  return new CarillonError(
    "DELIVERY_FILTER_INVALID",
    `Invalid filter: ${why}.`,
  );
}

function storable(text: string, what: string): string {
  return checkStorable(text, "DELIVERY_FILTER_INVALID", what);
}

function reasonText(text: string | undefined): string | undefined {
  return text === undefined || text === ""
    ? undefined
    : storable(text, "reason");
}
