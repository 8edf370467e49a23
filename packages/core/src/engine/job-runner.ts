/**
 * Works off jobs: actions of operators on all deliveries that match a filter, in
 * small steps through the event loop, the oldest job first.
 *
 * A step and its progress are one transaction. Crash before its commit: nothing
 * of the step happened. Crash after it: the next engine goes on behind it, once
 * the lease of the dead one ended. So nothing is done twice.
 */

import { isTransient } from "../errors.ts";
import type { MessageId } from "../ids.ts";
import type { ActionRules } from "../messages/delivery-action.ts";
import { isJobOver } from "../messages/delivery-job.ts";
import { operatorTransitions } from "../messages/delivery-state.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type {
  ClaimedJob,
  DeliveryActionStore,
  WalkLimits,
} from "../ports/delivery-action-store.ts";
import type { Dispatcher } from "../ports/dispatcher.ts";
import type { Logger } from "../ports/logger.ts";
import { reasonOf } from "./ledger.ts";
import { WorkLoop } from "./work-loop.ts";

export interface JobRunnerPorts {
  readonly store: Pick<
    DeliveryActionStore,
    "claimJob" | "advanceJob" | "failJob" | "releaseJob" | "releaseAllJobs"
  > & { readonly exclusive: boolean };
  readonly dispatcher: Dispatcher;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Answers a number in [0, 1). */
  readonly random: () => number;
  readonly newId: () => string;
  readonly rules: ActionRules;
  /** What waited of a message was cancelled by a job. Default: nobody is told. */
  readonly onCancelled?: (id: MessageId) => void;
}

/** All have defaults. */
export interface JobRunnerOptions {
  /** How long a job is held unless a step renews it, in milliseconds. */
  readonly leaseMs: number;
  /** How often it looks for jobs that no hint spoke of, in milliseconds. */
  readonly sweepIntervalMs: number;
  /** Of one step. */
  readonly limits: WalkLimits;
}

/** A step of this size takes a writing thread some five milliseconds. */
const defaults: JobRunnerOptions = {
  leaseMs: 60_000,
  sweepIntervalMs: 5000,
  limits: { maxMessages: 1000, maxDeliveries: 200 },
};

/** Longest rest between two steps, in milliseconds. */
const maxRestMs = 1000;

export interface JobRunner {
  /** Frees what a former process held; before {@link JobRunner.start}. */
  recover(): Promise<void>;
  start(): void;
  /** There may be a job. */
  wake(): void;
  /** Begins no step any more, and gives back what it holds; idempotent. */
  drain(): Promise<void>;
}

/**
 * Builds what works off jobs, one at a time and in steps: it leaves the store half
 * of the time to others, and goes on after a crash where the last step ended.
 */
export function createJobRunner(
  ports: JobRunnerPorts,
  tuning: Partial<JobRunnerOptions> = {},
): JobRunner {
  const { store, dispatcher, clock, logger, rules } = ports;
  const { leaseMs, sweepIntervalMs, limits } = { ...defaults, ...tuning };
  const lease = { owner: ports.newId(), leaseMs };
  let current: ClaimedJob | undefined;
  let isOpen = true;
  let sweepTimer: Timer | undefined;
  let endRest = () => {};
  let drained: Promise<void> | undefined;

  const loop = new WorkLoop(ports, {
    name: "jobs",
    hasRoom: () => true,
    claim: work,
  });

  /** One step of a job; answers whether there may be more. */
  async function work(): Promise<boolean> {
    current ??= await store.claimJob(lease, clock.now());
    if (current === undefined) return false;
    const began = clock.monotonic();
    await advance(current);
    // As long as the step took, so that it leaves others half of the store.
    await rest(Math.min(clock.monotonic() - began, maxRestMs));
    return true;
  }

  async function advance(claim: ClaimedJob): Promise<void> {
    const { job, fence } = claim;
    const now = clock.now();
    const step = { lease, now, limits, ...rules };
    try {
      const next = await store.advanceJob(claim, step);
      if (next === undefined) {
        current = undefined;
        return;
      }
      current = { job: next, fence };
      const isResend = operatorTransitions[job.action].unknown === "retrying";
      if (isResend && next.changed > job.changed) {
        dispatcher.offer({ kind: "delivery", dueInMs: 0 });
      }
      if (!isJobOver(next.state)) return;
      current = undefined;
      const { messageId } = job.shownFilter;
      if (job.action === "cancel" && messageId !== undefined) {
        // It was found by it when the job was queued.
        ports.onCancelled?.(messageId as MessageId);
      }
      logger.info("job_done", {
        jobId: job.id,
        action: job.action,
        changed: next.changed,
        done: next.done,
      });
    } catch (error) {
      // It may pass: the loop waits, longer each time, and the job goes on.
      if (isTransient(error)) throw error;
      logger.error("job_failed", { jobId: job.id, error });
      await store.failJob(claim, reasonOf(error).slice(0, 200), clock.now());
      current = undefined;
    }
  }

  async function rest(ms: number): Promise<void> {
    if (ms <= 0 || !isOpen) return;
    await new Promise<void>((resolve) => {
      const timer = clock.setTimer(ms, resolve);
      endRest = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  function sweep(): void {
    if (!isOpen) return;
    loop.wake();
    sweepTimer = clock.setTimer(sweepIntervalMs, sweep);
  }

  async function drain(): Promise<void> {
    isOpen = false;
    sweepTimer?.cancel();
    endRest();
    await loop.stop();
    const held = current;
    current = undefined;
    if (held === undefined) return;
    try {
      await store.releaseJob(held);
    } catch (error) {
      // Its lease ends by itself.
      logger.error("release_failed", { jobId: held.job.id, error });
    }
  }

  return {
    async recover() {
      if (store.exclusive) await store.releaseAllJobs();
    },
    start: sweep,
    wake: () => loop.wake(),
    drain() {
      drained ??= drain();
      return drained;
    },
  };
}
