/** Jobs: actions on all deliveries that match a filter. */

import { sleep } from "../abort.ts";
import type { Api } from "../api.ts";
import {
  findNumber,
  findText,
  isObject,
  type JsonObject,
  readBoolean,
  readObjects,
  readText,
} from "../json.ts";
import type { RequestOptions } from "../transport.ts";
import { findInstantText, type Instant } from "./instant-text.ts";
import type { DeliveryState } from "./messages.ts";

/** Kinds of a last failure that {@link DeliveryFilter.errorClass} knows. */
export const errorClasses = [
  "http_status",
  "timeout",
  "unreachable",
  "egress_refused",
  "smtp",
  "provider",
  "lane_full",
  "no_channel",
  "expired",
  "filtered",
  "guard",
  "interrupted",
  "internal",
  "mailbox",
] as const;

/** What is done to each delivery that matches. */
export type JobAction =
  | "resend"
  | "cancel"
  | "settle_resend"
  | "settle_failed"
  | "settle_delivered";

/** Which deliveries are meant; absent members do not constrain. */
export interface DeliveryFilter {
  readonly messageId?: string | undefined;
  readonly topicUrn?: string | undefined;
  /**
   * Default: failed, rejected and expired for a resend, else all that the action
   * leads on from.
   */
  readonly states?: readonly DeliveryState[] | undefined;
  readonly protocol?: string | undefined;
  readonly endpoint?: string | undefined;
  /** Of the last attempt: one of {@link errorClasses}. */
  readonly errorClass?: string | undefined;
  /** Of the last attempt. */
  readonly provider?: string | undefined;
  /** Of messages that were accepted then or later. */
  readonly since?: Instant | undefined;
  /** Of messages that were accepted before. */
  readonly until?: Instant | undefined;
}

/** What a new job needs. */
export interface NewDeliveryJob {
  readonly action: JobAction;
  readonly filter: DeliveryFilter;
  /** For the history of each delivery; at most 500 characters. */
  readonly reason: string;
  /** A new life from now on; without one, those whose life is over are skipped. */
  readonly timeToLiveSeconds?: number | undefined;
}

/** How many deliveries match. */
export interface DeliveryCount {
  readonly count: number;
  /** Messages that are not fanned out, which a cancellation ends, too. */
  readonly messages: number;
  /** False: at least so many. */
  readonly isExact: boolean;
}

/** A job and how far it has got. */
export interface DeliveryJob extends JsonObject {
  readonly id: string;
  readonly action: string;
  /** `queued`, `running`, `done`, `cancelled` or `failed`. */
  readonly state: string;
  readonly reason: string;
  readonly userName: string;
  /** How many matched when it was made. */
  readonly total: number;
  /** False: at least so many did. */
  readonly isTotalExact: boolean;
  /** Deliveries changed and skipped. */
  readonly done: number;
  readonly changed: number;
  /** Messages, not fully fanned out, that it cancelled. */
  readonly messages: number;
  /** By reason. */
  readonly skipped: Readonly<Record<string, number>>;
  /** UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`. */
  readonly createdAt: string;
  /** Why it failed. */
  readonly error?: string | undefined;
}

/** Makes, watches and cancels jobs. */
export interface DeliveryJobs {
  /** Counts what a job would be for; changes nothing. */
  preview(
    job: Pick<NewDeliveryJob, "action" | "filter">,
    options?: RequestOptions,
  ): Promise<DeliveryCount>;
  create(job: NewDeliveryJob, options?: RequestOptions): Promise<DeliveryJob>;
  /** Newest first; pages are fetched as needed. */
  list(options?: RequestOptions): AsyncGenerator<DeliveryJob, void, undefined>;
  /** @throws ResourceNotFoundError */
  get(id: string, options?: RequestOptions): Promise<DeliveryJob>;
  /** What it changed stays. */
  cancel(id: string, options?: RequestOptions): Promise<DeliveryJob>;
  /** The job each half second as it goes on, and once when it is over. */
  watch(
    id: string,
    options?: RequestOptions,
  ): AsyncGenerator<DeliveryJob, void, undefined>;
}

const watchIntervalMs = 500;

/** As many as the server gives at once. */
const pageSize = 1000;

export function createDeliveryJobs(api: Api): DeliveryJobs {
  async function get(id: string, options?: RequestOptions) {
    const path = ["delivery-jobs", id];
    return toJob((await api({ method: "GET", path }, options)).body);
  }
  return {
    async preview({ action, filter }, options) {
      const path = ["delivery-jobs", "preview"];
      const request = { method: "POST", path, isIdempotent: true } as const;
      const { body } = await api(
        { ...request, body: { action, filter: toBody(filter) } },
        options,
      );
      return {
        count: findNumber(body, "count") ?? 0,
        isExact: readBoolean(body, "isExact"),
        messages: findNumber(body, "messages") ?? 0,
      };
    },
    async create({ filter, ...job }, options) {
      const body = { ...job, filter: toBody(filter) };
      const path = ["delivery-jobs"];
      return toJob((await api({ method: "POST", path, body }, options)).body);
    },
    async *list(options) {
      const path = ["delivery-jobs"];
      let before: string | undefined;
      do {
        const query = { limit: pageSize, before };
        const { body } = await api({ method: "GET", path, query }, options);
        yield* readObjects(body, "jobs").map(toJob);
        before = findText(body, "next");
      } while (before !== undefined);
    },
    get,
    async cancel(id, options) {
      const path = ["delivery-jobs", id, "cancel"];
      return toJob((await api({ method: "POST", path }, options)).body);
    },
    async *watch(id, options) {
      for (;;) {
        const job = await get(id, options);
        yield job;
        if (job.state !== "queued" && job.state !== "running") return;
        await sleep(watchIntervalMs, options?.signal);
      }
    },
  };
}

/** Instants as texts; JSON leaves out what is absent. */
function toBody(filter: DeliveryFilter): object {
  return {
    ...filter,
    since: findInstantText("since", filter.since),
    until: findInstantText("until", filter.until),
  };
}

function toJob(body: JsonObject): DeliveryJob {
  const skipped = isObject(body.skipped) ? Object.entries(body.skipped) : [];
  return {
    ...body,
    id: readText(body, "id"),
    action: readText(body, "action"),
    state: readText(body, "state"),
    reason: readText(body, "reason"),
    userName: readText(body, "userName"),
    total: findNumber(body, "total") ?? 0,
    isTotalExact: readBoolean(body, "isTotalExact"),
    done: findNumber(body, "done") ?? 0,
    changed: findNumber(body, "changed") ?? 0,
    messages: findNumber(body, "messages") ?? 0,
    skipped: Object.fromEntries(
      skipped.map(([reason, count]) => [reason, Number(count)]),
    ),
    createdAt: readText(body, "createdAt"),
    error: findText(body, "error"),
  };
}
