/**
 * What operators do to deliveries, one or many. All writes of one call happen in
 * one transaction that is on disk before the promise resolves.
 */

import type { ProjectId } from "../ids.ts";
import type { Delivery } from "../messages/delivery.ts";
import type {
  ActionOrder,
  ActionRefusal,
  ActionRules,
  Actor,
  DeliveryActionRecord,
} from "../messages/delivery-action.ts";
import type {
  DeliveryFilter,
  DeliveryJob,
  NewDeliveryJob,
} from "../messages/delivery-job.ts";
import type { DeliveryState } from "../messages/delivery-state.ts";
import type { MailboxRoom } from "../pull/mailbox.ts";
import type { EpochMs } from "../time.ts";
import type { Lease } from "./work-store.ts";

/** What came of an action on one delivery. */
export type ActionResult =
  | {
      /** The state it is in now. */
      readonly state: DeliveryState;
      readonly refused?: undefined;
    }
  | {
      readonly state: DeliveryState;
      readonly refused: ActionRefusal;
      /** Of one that was not queued: the mailbox as it stands. */
      readonly mailbox?: MailboxRoom;
      /** The last action on it before this one. */
      readonly lastAction?: DeliveryActionRecord;
    };

/** Where a walk over a project's deliveries goes on. */
export interface WalkPosition {
  /** Messages before this one are still to be looked at. */
  readonly beforeMessage: number;
  /** The message that is being looked at, and how far. */
  readonly within?: {
    readonly messageSeq: number;
    /** Place in the filter's list of states. */
    readonly stateIndex: number;
    readonly afterTarget: number;
  };
}

/** Bounds of one step of a walk: it ends where the first one is reached. */
export interface WalkLimits {
  readonly maxMessages: number;
  readonly maxDeliveries: number;
}

/** A job that an engine works off. */
export interface ClaimedJob {
  readonly job: DeliveryJob;
  readonly fence: number;
}

/** What a step of a job needs: who works, the time, and how much at most. */
export interface JobStep extends ActionRules {
  readonly lease: Lease;
  readonly now: EpochMs;
  readonly limits: WalkLimits;
}

/** Changes deliveries on behalf of operators. */
export interface DeliveryActionStore {
  /**
   * Acts on a delivery and adds to its history; a claim that was lost cannot
   * write its outcome any more. A resend of what is fetched keeps to the mailbox's
   * quota; in a full one what is past its life is ended first. `undefined`: there is no such delivery.
   */
  actOnDelivery(
    key: Pick<Delivery, "messageSeq" | "target">,
    order: ActionOrder,
    by: Actor & { readonly reason?: string },
  ): Promise<ActionResult | undefined>;
  /**
   * Counts deliveries that match, newest message first, from a position on;
   * looks at no more than the limits say. Without `next` it came to the end.
   */
  countDeliveries(
    projectId: ProjectId,
    filter: DeliveryFilter,
    from: WalkPosition | undefined,
    limits: WalkLimits,
  ): Promise<{ readonly count: number; readonly next?: WalkPosition }>;
  /**
   * How many of the messages that a step of `countDeliveries` came past are not
   * fully fanned out, by the filter's message, topic, since and until.
   */
  countOpenMessages(
    projectId: ProjectId,
    filter: DeliveryFilter,
    step: {
      /** Where the step began; absent: at the first one. */
      readonly from: WalkPosition | undefined;
      /** Its `next`; absent: it came to the end. */
      readonly to: WalkPosition | undefined;
      readonly maxMessages: number;
    },
  ): Promise<number>;
  /**
   * Queues a job for deliveries of messages that are there now. One with a
   * `cancelledMessage` ends its fan-out in the same transaction: ranges that
   * nobody holds are gone; one that is given back is claimed as `isCancelled`. What an
   * outcome, or a claim, would make wait of its deliveries later is cancelled, too.
   *
   * @throws CarillonError JOB_QUOTA_EXCEEDED when `quota` jobs of the project
   * that are of its kind, with a `cancelledMessage` or without one, are not over;
   * MESSAGE_STATE_CONFLICT when that message is cancelled already;
   * PROJECT_DELETED. Then nothing was made.
   */
  createJob(job: NewDeliveryJob, quota: number): Promise<DeliveryJob>;
  findJob(projectId: ProjectId, id: string): Promise<DeliveryJob | undefined>;
  /** Newest first, starting behind `before` (a number of a job). */
  listJobs(
    projectId: ProjectId,
    page: { readonly limit: number; readonly before?: number },
  ): Promise<readonly DeliveryJob[]>;
  /**
   * Ends a job; what it changed stays. False: it was over already, or there is
   * none.
   */
  cancelJob(projectId: ProjectId, id: string, at: EpochMs): Promise<boolean>;
  /** Claims the oldest job that is not over and that nobody works off. */
  claimJob(lease: Lease, now: EpochMs): Promise<ClaimedJob | undefined>;
  /**
   * Works off a part of a job, with its progress in the same transaction, and
   * renews its lease. A job that is for whole messages (`isForMessages`) cancels
   * those that it comes past and that are not fully fanned out; a message to
   * several topics only if the filter names no topic. `undefined`: it is cancelled,
   * or another engine has it.
   */
  advanceJob(
    claim: Pick<ClaimedJob, "job" | "fence">,
    step: JobStep,
  ): Promise<DeliveryJob | undefined>;
  /** Ends a job that can never be worked off, if the claim still holds. */
  failJob(claim: ClaimedJob, error: string, at: EpochMs): Promise<void>;
  /** Gives a claimed job back, if the claim still holds. */
  releaseJob(claim: ClaimedJob): Promise<void>;
  /** Frees all jobs; only on an exclusive store, before engines start. */
  releaseAllJobs(): Promise<void>;
}
