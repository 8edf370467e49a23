/** Runs of the batch sender and delivery checks, as a scheduler calls them. */

import {
  type BatchRun,
  type BatchSender,
  type DeliveryChecks,
  type StoredChannel,
  storedChannels,
} from "@carillon/core";
import { Type } from "../../json-schema.ts";
import type { HttpApp } from "../http-app.ts";
import { refusals } from "./error-answers.ts";

export interface BatchRunPorts {
  readonly batchSender: Pick<BatchSender, "run">;
  readonly deliveryChecks: Pick<DeliveryChecks, "run">;
}

const tags = ["Batches"];

const paths = {
  sms: "/sms/batch-runs",
  email: "/emails/batch-runs",
} as const satisfies Record<StoredChannel, string>;

const names = { sms: "texts", email: "mails" } as const;

function ids(description: string) {
  return Type.Array(Type.String(), { description });
}

const BatchRunBody = Type.Object(
  {
    sent: ids("Ids of the messages that had an attempt, whatever came of it"),
    failed: ids(
      "Ids of those that ended without one: they were too old, or something held them",
    ),
    pending: ids(
      "Ids of those that are due and had no attempt yet after twenty seconds; they go on by themselves",
    ),
  },
  { title: "BatchRun" },
);

const DeliveryCheckBody = Type.Object(
  {
    asked: Type.Integer({
      description: "Texts whose carriers were asked about them",
    }),
    idle: Type.Integer({
      description: "Texts whose report did not come within the idle timeout",
    }),
    idleTimeoutMinutes: Type.Integer({ description: "That timeout" }),
    failedIdle: Type.Boolean({
      description: "Whether those are `failed` now; else they stay `sent`",
    }),
  },
  { title: "DeliveryCheck" },
);

export function batchRunRoutes(
  app: HttpApp,
  { batchSender, deliveryChecks }: BatchRunPorts,
): void {
  for (const channel of storedChannels) {
    app.post(
      paths[channel],
      {
        config: { operation: "batches.run" },
        schema: {
          summary: `Sends ${names[channel]} that batch mode has stored`,
          description:
            "Of all projects, those of the highest priority first, then the oldest, and answers once each had its attempt, twenty seconds later at the latest. Several runs at once take different ones. Refused with `BATCH_SENDING_OFF` where batch mode is off.",
          tags,
          body: Type.Optional(
            Type.Object(
              {
                limit: Type.Optional(
                  Type.Integer({
                    minimum: 1,
                    maximum: 10_000,
                    description:
                      "Messages at most; by default as many as the configuration says",
                  }),
                ),
              },
              { title: "BatchRunRequest" },
            ),
          ),
          response: { 200: BatchRunBody, ...refusals },
        },
      },
      async (request) => {
        const limit = request.body?.limit;
        return toBody(await batchSender.run(channel, { limit }));
      },
    );
  }

  app.post(
    "/sms/delivery-checks",
    {
      config: { operation: "batches.run" },
      schema: {
        summary: "Looks for reports of texts",
        description:
          "Asks carriers now about all texts that they can be asked about, then applies the idle timeout to those whose report did not come.",
        tags,
        response: { 200: DeliveryCheckBody, ...refusals },
      },
    },
    async () => ({ ...(await deliveryChecks.run()) }),
  );
}

function toBody({ sent, failed, pending }: BatchRun) {
  return { sent: [...sent], failed: [...failed], pending: [...pending] };
}
