/** Jobs: actions on all deliveries that match a filter. */

import {
  deliveryActions as actions,
  type DeliveryActions,
  type DeliveryJob,
  deliveryStates,
  errorClasses,
  type FilterRequest,
  isEpochMs,
  jobStates,
} from "@carillon/core";
import type { Static } from "typebox";
import { Type } from "../../json-schema.ts";
import { projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { toMillisecondsText } from "../timestamps.ts";
import {
  actorOf,
  maxReasonLength,
  timeToLiveSeconds,
} from "./delivery-actions.ts";
import { refusals } from "./error-answers.ts";
import {
  instant,
  limitParameter,
  parseInstant,
  readLimit,
} from "./schema-parts.ts";

export interface DeliveryJobPorts {
  readonly deliveryActions: DeliveryActions;
}

const action = Type.Enum([...actions], {
  description:
    "resend: another attempt; cancel: what has not begun; settle_resend, settle_failed, settle_delivered: what is unknown",
});

const Filter = Type.Object(
  {
    messageId: Type.Optional(
      Type.String({ maxLength: 64, description: "Of this message" }),
    ),
    topicUrn: Type.Optional(
      Type.String({
        maxLength: 1024,
        description: "Of messages that were published to this topic",
      }),
    ),
    states: Type.Optional(
      Type.Array(Type.Enum(deliveryStates), {
        maxItems: deliveryStates.length,
        description:
          "States that the action leads on from. By default failed, rejected and expired for a resend, all for the others",
      }),
    ),
    protocol: Type.Optional(
      Type.String({ maxLength: 32, description: "Such as `https` or `sms`" }),
    ),
    endpoint: Type.Optional(
      Type.String({ maxLength: 4096, description: "As it was subscribed" }),
    ),
    errorClass: Type.Optional(
      Type.Enum([...errorClasses], { description: "Of the last attempt" }),
    ),
    provider: Type.Optional(
      Type.String({ maxLength: 256, description: "Of the last attempt" }),
    ),
    since: Type.Optional(
      Type.String({
        maxLength: 64,
        description: "Of messages that were accepted then or later (RFC 3339)",
      }),
    ),
    until: Type.Optional(
      Type.String({
        maxLength: 64,
        description: "Of messages that were accepted before (RFC 3339)",
      }),
    ),
  },
  {
    title: "DeliveryFilter",
    description: "Which deliveries are meant; what is absent does not filter",
  },
);

const Preview = Type.Object(
  { action, filter: Filter },
  { title: "JobPreview" },
);

const NewJob = Type.Object(
  {
    action,
    filter: Filter,
    timeToLiveSeconds,
    reason: Type.String({
      minLength: 1,
      maxLength: maxReasonLength,
      description: "Why, for the history of each delivery",
    }),
  },
  { title: "NewDeliveryJob" },
);

const CountBody = Type.Object(
  {
    count: Type.Integer({ description: "How many match now" }),
    messages: Type.Integer({
      description:
        "Messages that are not fully fanned out, which a cancellation takes as a whole",
    }),
    isExact: Type.Boolean({
      description: "False: at least so many; counting ended after a second",
    }),
  },
  { title: "DeliveryCount" },
);

const JobBody = Type.Object(
  {
    id: Type.String({ description: "Of the job" }),
    action: Type.String({ description: "As it was given" }),
    filter: Type.Record(Type.String(), Type.Unknown(), {
      description: "As it was given",
    }),
    timeToLiveSeconds: Type.Optional(
      Type.Integer({ description: "The new life that a resend gives" }),
    ),
    reason: Type.String({ description: "Why, as it was given" }),
    userId: Type.String({ description: "Who made it" }),
    userName: Type.String({ description: "Who made it, by name" }),
    state: Type.Enum([...jobStates], { description: "How far it has got" }),
    total: Type.Integer({ description: "How many matched when it was made" }),
    isTotalExact: Type.Boolean({
      description: "False: at least so many; counting ended after a second",
    }),
    done: Type.Integer({ description: "Deliveries changed and skipped" }),
    changed: Type.Integer({ description: "Deliveries it acted on" }),
    messages: Type.Integer({
      description:
        "Messages that were not fully fanned out, and that it cancelled as a whole",
    }),
    skipped: Type.Record(Type.String(), Type.Integer(), {
      description:
        "By reason: state (it had changed meanwhile, or its attempt is under way), unwanted (unsubscribed, the topic was deleted, the message was cancelled, or an earlier round of the notify policy delivered it), expired (its life is over, and no new one was given), not_queued (its mailbox is full or disabled), unreadable",
    }),
    createdAt: instant("When it was queued"),
    startedAt: Type.Optional(instant("When it began")),
    finishedAt: Type.Optional(instant("When it was over")),
    error: Type.Optional(Type.String({ description: "Why it failed" })),
  },
  { title: "DeliveryJob" },
);

const JobList = Type.Object(
  {
    jobs: Type.Array(JobBody, { description: "Newest first" }),
    next: Type.Optional(
      Type.String({
        description: "`before` of the next page, if there is one",
      }),
    ),
  },
  { title: "DeliveryJobList" },
);

const tags = ["Delivery jobs"];
const params = Type.Object({
  jobId: Type.String({ description: "Id of a job" }),
});

export function deliveryJobRoutes(
  app: HttpApp,
  { deliveryActions }: DeliveryJobPorts,
): void {
  app.post(
    "/delivery-jobs/preview",
    {
      config: { operation: "messages.read" },
      schema: {
        summary: "Counts the deliveries that a job would be for",
        description:
          "Refused with `DELIVERY_FILTER_INVALID` where the filter cannot be used.",
        tags,
        body: Preview,
        response: { 200: CountBody, ...refusals },
      },
    },
    async (request) => {
      const { action, filter } = request.body;
      return await deliveryActions.preview(projectOf(request), {
        action,
        filter: toFilter(filter),
      });
    },
  );

  app.post(
    "/delivery-jobs",
    {
      config: { operation: "deliveries.write" },
      schema: {
        summary: "Acts on all deliveries that match a filter",
        description:
          "In the background, newest message first. Messages that are accepted later are left alone. A cancellation that filters by message, topic and time alone cancels as a whole those of them that are not fully fanned out; one that names states must name waiting and retrying. Refused with `DELIVERY_FILTER_INVALID` where the filter cannot be used, and with `JOB_QUOTA_EXCEEDED` while the project has as many jobs under way as it may.",
        tags,
        body: NewJob,
        response: { 202: JobBody, ...refusals },
      },
    },
    async (request, reply) => {
      const { filter, ...rest } = request.body;
      const job = await deliveryActions.createJob(
        projectOf(request),
        { ...rest, filter: toFilter(filter) },
        actorOf(request),
      );
      reply.code(202);
      return toBody(job);
    },
  );

  app.get(
    "/delivery-jobs",
    {
      config: { operation: "messages.read" },
      schema: {
        summary: "Lists jobs, newest first",
        tags,
        querystring: Type.Object({
          limit: limitParameter,
          before: Type.Optional(
            Type.String({
              description: "Id of a job: the page starts behind it",
            }),
          ),
        }),
        response: { 200: JobList, ...refusals },
      },
    },
    async (request) => {
      const limit = readLimit(request.query.limit);
      const found = await deliveryActions.listJobs(projectOf(request), {
        limit: limit + 1,
        before: request.query.before,
      });
      const page = found.slice(0, limit).map(toBody);
      const last = page.at(-1);
      return {
        jobs: page,
        ...(last && found.length > limit && { next: last.id }),
      };
    },
  );

  app.get(
    "/delivery-jobs/:jobId",
    {
      config: { operation: "messages.read" },
      schema: {
        summary: "Shows a job and how far it has got",
        tags,
        params,
        response: { 200: JobBody, ...refusals },
      },
    },
    async (request) =>
      toBody(
        await deliveryActions.getJob(projectOf(request), request.params.jobId),
      ),
  );

  app.post(
    "/delivery-jobs/:jobId/cancel",
    {
      config: { operation: "deliveries.write" },
      schema: {
        summary: "Ends a job; what it changed stays",
        description: "Refused with `JOB_OVER` once it has ended.",
        tags,
        params,
        response: { 200: JobBody, ...refusals },
      },
    },
    async (request) =>
      toBody(
        await deliveryActions.cancelJob(
          projectOf(request),
          request.params.jobId,
        ),
      ),
  );
}

/** @throws RequestError REQUEST_INVALID */
function toFilter({
  since,
  until,
  ...filter
}: Static<typeof Filter>): FilterRequest {
  return {
    ...filter,
    ...(since !== undefined && { since: parseInstant(since) }),
    ...(until !== undefined && { until: parseInstant(until, "until") }),
  };
}

function toBody(job: DeliveryJob): Static<typeof JobBody> {
  const { shownFilter, createdAt, startedAt, finishedAt } = job;
  const { since, until, ...filter } = shownFilter;
  return {
    id: job.id,
    action: job.action,
    filter: {
      ...filter,
      ...(isEpochMs(since) && { since: toMillisecondsText(since) }),
      ...(isEpochMs(until) && { until: toMillisecondsText(until) }),
    },
    ...(job.timeToLiveSeconds !== undefined && {
      timeToLiveSeconds: job.timeToLiveSeconds,
    }),
    reason: job.reason,
    userId: job.userId,
    userName: job.userName,
    state: job.state,
    total: job.total,
    isTotalExact: job.isTotalExact,
    done: job.done,
    changed: job.changed,
    messages: job.messages,
    skipped: { ...job.skipped },
    createdAt: toMillisecondsText(createdAt),
    ...(startedAt !== undefined && {
      startedAt: toMillisecondsText(startedAt),
    }),
    ...(finishedAt !== undefined && {
      finishedAt: toMillisecondsText(finishedAt),
    }),
    ...(job.error !== undefined && { error: job.error }),
  };
}
