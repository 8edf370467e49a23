/** What operators do to deliveries, in SQLite: reads, and the way to the writer. */

import {
  CarillonError,
  type ClaimedJob,
  type Clock,
  type DeliveryActionStore,
  type Lease,
} from "@carillon/core";
import type { Connections } from "../connections.ts";
import { createDeliveryWalk, startOfWalk } from "../schema/delivery-walk.ts";
import { claimedJobs, type JobRow, jobs } from "../schema/job-table.ts";
import { createOpenMessages, stretchOf } from "../schema/open-messages.ts";
import { Conditions } from "./conditions.ts";
import { endOfLease } from "./lease-end.ts";

/** `clock`: its monotonic time is the time of leases. */
export function createDeliveryActionStore(
  { reader, writer }: Connections,
  clock: Clock,
): DeliveryActionStore {
  const endOf = (lease: Lease) => endOfLease(lease, clock);
  const walk = createDeliveryWalk((sql) => reader.prepare(sql));
  const openMessages = createOpenMessages((sql) => reader.prepare(sql));
  /** Parameters: id, project. Index: jobs_id. */
  const byId = reader.prepare<JobRow>(
    `SELECT ${jobs.columns()} FROM jobs WHERE id = ? AND project_id = ?`,
  );
  /** Index: jobs_open. */
  const anyOpen = reader.prepare<[1]>(
    "SELECT 1 FROM jobs INDEXED BY jobs_open WHERE state IN (0, 1) LIMIT 1",
  );

  return {
    actOnDelivery: (key, order, by) =>
      writer.run("actOnDelivery", key, order, by),
    async countDeliveries(projectId, filter, from, limits) {
      return walk.count(projectId, filter, from, limits);
    },
    async countOpenMessages(projectId, filter, { from, to, maxMessages }) {
      const start = from ?? startOfWalk(filter);
      const stretch = stretchOf(filter, start, to, maxMessages);
      return openMessages(projectId, filter, stretch).length;
    },
    async createJob(job, quota) {
      const result = await writer.run("createJob", job, quota);
      if (result === "JOB_QUOTA_EXCEEDED") {
        throw new CarillonError(
          result,
          job.cancelledMessage === undefined
            ? `${quota} jobs of the project are not over: wait for one, or cancel one.`
            : `${quota} cancellations of messages of the project are not over: wait for one.`,
        );
      }
      if (typeof result === "string") throw new CarillonError(result);
      const progress = { done: 0, changed: 0, skipped: {} };
      return { ...job, ...result, state: "queued", ...progress };
    },
    async findJob(projectId, id) {
      const row = byId.get(id, projectId);
      return row && jobs.fromRow(row);
    },
    async listJobs(projectId, { limit, before }) {
      const where = new Conditions()
        .add("project_id = ?", projectId)
        .addIfSet("seq < ?", before);
      return reader
        .prepared<JobRow>(
          `SELECT ${jobs.columns()} FROM jobs ${where.sql}
           ORDER BY seq DESC LIMIT ?`,
        )
        .all(...where.values, limit)
        .map((row) => jobs.fromRow(row));
    },
    cancelJob: (projectId, id, at) =>
      writer.run("cancelJob", projectId, id, at),
    async claimJob(lease, now) {
      // Most of the time there is none, and nothing is written.
      if (anyOpen.get() === undefined) return undefined;
      const row = await writer.run(
        "claimJob",
        lease.owner,
        endOf(lease),
        Math.floor(clock.monotonic()),
        now,
      );
      if (row === undefined) return undefined;
      const { fence, ...job } = claimedJobs.fromRow(row);
      return { job, fence };
    },
    async advanceJob({ job, fence }, { lease, ...step }) {
      const { owner } = lease;
      const row = await writer.run("advanceJob", job.seq, fence, {
        ...step,
        owner,
        leaseUntil: endOf(lease),
      });
      return row && jobs.fromRow(row);
    },
    failJob: ({ job, fence }: ClaimedJob, error, at) =>
      writer.run("failJob", job.seq, fence, error, at),
    releaseJob: ({ job, fence }) => writer.run("releaseJob", job.seq, fence),
    releaseAllJobs: () => writer.run("releaseAllJobs"),
  };
}
