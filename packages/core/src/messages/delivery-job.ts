/**
 * An action on all deliveries that match a filter: a job that a store works off
 * in steps, so that it can be watched, cancelled, and go on after a crash.
 */

import type { ProjectId } from "../ids.ts";
import type { Protocol } from "../subscriptions/protocol.ts";
import type { EpochMs } from "../time.ts";
import type { ErrorClass } from "./delivery.ts";
import {
  type ActionRefusal,
  type Actor,
  actionRefusals,
} from "./delivery-action.ts";
import {
  type DeliveryAction,
  type DeliveryState,
  deliveryStates,
  operatorTransitions,
} from "./delivery-state.ts";

/** Which deliveries of a project are meant; what is absent does not filter. */
export interface DeliveryFilter {
  /** Number of a message. */
  readonly messageSeq?: number;
  /** Number of the topic that messages were published to. */
  readonly topicSeq?: number;
  /** Of messages that were accepted then or later. */
  readonly since?: EpochMs;
  /** Of messages that were accepted before. */
  readonly until?: EpochMs;
  readonly states: readonly DeliveryState[];
  readonly protocol?: Protocol;
  /** As it was subscribed. */
  readonly endpoint?: string;
  /** Of the last attempt. */
  readonly errorClass?: ErrorClass;
  /** Of the last attempt. */
  readonly provider?: string;
}

/**
 * The states that an action by filter is for when none is named. What may have
 * gone out, what was suppressed and what was cancelled is sent again only when
 * its state is named.
 */
export function defaultActionStates(
  action: DeliveryAction,
): readonly DeliveryState[] {
  if (action === "resend") return ["failed", "rejected", "expired"];
  return actionStates(action);
}

/** The states that an action leads on from. */
export function actionStates(action: DeliveryAction): readonly DeliveryState[] {
  return deliveryStates.filter((it) => it in operatorTransitions[action]);
}

/**
 * Whether a filter looks at messages and at states alone, and at nothing that only
 * a delivery has.
 */
export function isByMessage({
  protocol,
  endpoint,
  errorClass,
  provider,
}: DeliveryFilter): boolean {
  return [protocol, endpoint, errorClass, provider].every(
    (it) => it === undefined,
  );
}

/**
 * Whether an action is for whole messages: it ends the fan-out of those that
 * match, too. What only some of their deliveries would have, or be in, is not
 * known before.
 */
export function isForMessages(
  action: DeliveryAction,
  filter: DeliveryFilter,
): boolean {
  return (
    action === "cancel" &&
    isByMessage(filter) &&
    actionStates(action).every((it) => filter.states.includes(it))
  );
}

/**
 * Whether what befell a delivery since a job was made keeps the job off it: an
 * attempt that began after that, or another action. Who asked for the job did not
 * mean its new state; two jobs would otherwise resend the same ones in turn. A
 * cancellation is for all that is still under way.
 */
export function isNewerThanJob(
  { action, createdAt }: Pick<NewDeliveryJob, "action" | "createdAt">,
  attemptAt: EpochMs | undefined,
  actionAt: EpochMs | undefined,
): boolean {
  if (action === "cancel") return false;
  return Math.max(attemptAt ?? 0, actionAt ?? 0) > createdAt;
}

/** States of a job: the first two are worked off, the others are its end. */
export const jobStates = [
  "queued",
  "running",
  "done",
  "cancelled",
  "failed",
] as const;

export type JobState = (typeof jobStates)[number];

/** Whether nothing is done any more. */
export function isJobOver(state: JobState): boolean {
  return state !== "queued" && state !== "running";
}

/**
 * Why a job left a delivery that matched as it was: refusals, and `unreadable`
 * for a damaged row.
 */
export const skipReasons = [...actionRefusals, "unreadable"] as const;

export type SkipReason = ActionRefusal | "unreadable";

/** A job as it is queued. */
export interface NewDeliveryJob extends Actor {
  readonly id: string;
  readonly projectId: ProjectId;
  readonly action: DeliveryAction;
  readonly filter: DeliveryFilter;
  /**
   * Number of a message that is cancelled as a whole when the job is made, whatever
   * the filter finds of it; with the action `cancel` and a filter for it.
   */
  readonly cancelledMessage?: number;
  /** As the user wrote it: with ids in place of the store's numbers. */
  readonly shownFilter: Readonly<Record<string, unknown>>;
  readonly timeToLiveSeconds?: number;
  readonly reason: string;
  /** How many matched when it was made. */
  readonly total: number;
  /** False: more than `total` matched; counting ended there. */
  readonly isTotalExact: boolean;
  readonly createdAt: EpochMs;
}

/** A job, and how far it came. */
export interface DeliveryJob extends NewDeliveryJob {
  /** The store's own number; grows with creation. */
  readonly seq: number;
  readonly state: JobState;
  /** Deliveries that were looked at: those changed and those skipped. */
  readonly done: number;
  readonly changed: number;
  /** Messages that were not fully fanned out, and that it cancelled as a whole. */
  readonly messages: number;
  /** By reason; reasons that did not occur are left out. */
  readonly skipped: Readonly<Partial<Record<SkipReason, number>>>;
  readonly startedAt?: EpochMs;
  readonly finishedAt?: EpochMs;
  /** Why it failed. */
  readonly error?: string;
}
