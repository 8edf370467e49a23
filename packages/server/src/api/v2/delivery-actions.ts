/**
 * What can be done to a delivery: to send it again, to cancel it, to settle it;
 * and to a whole message: to cancel it.
 */

import {
  type DeliveryAction,
  type DeliveryActions,
  maxTimeToLiveSeconds,
} from "@carillon/core";
import type { FastifyRequest } from "fastify";
import { Type } from "../../json-schema.ts";
import { principalOf, projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { failsWith } from "../validation.ts";
import { DeliveryBody, deliveryParams, getDelivery } from "./deliveries.ts";
import { refusals } from "./error-answers.ts";
import {
  getMessage,
  MessageSummary,
  messageParams,
  toSummary,
} from "./messages.ts";
import type { V2Ports } from "./ports.ts";

export interface DeliveryActionPorts extends V2Ports {
  readonly deliveryActions: DeliveryActions;
}

export const maxReasonLength = 500;

export const timeToLiveSeconds = Type.Optional(
  Type.Integer({
    minimum: 1,
    maximum: maxTimeToLiveSeconds,
    description:
      "A new life from now on; without one a delivery whose life is over is not sent",
    ...failsWith("TIME_TO_LIVE_INVALID"),
  }),
);

const reason = Type.Optional(
  Type.String({
    maxLength: maxReasonLength,
    description: "Why, for the history",
  }),
);

const resendBody = Type.Object(
  { timeToLiveSeconds, reason },
  { title: "Resend" },
);

/** Why it is done. */
export const cancelBody = Type.Object({ reason }, { title: "Cancel" });

const settlements = {
  resend: "settle_resend",
  failed: "settle_failed",
  delivered: "settle_delivered",
} as const satisfies Record<string, DeliveryAction>;

const settleBody = Type.Object(
  {
    as: Type.Enum(Object.keys(settlements) as (keyof typeof settlements)[], {
      description: "Sent again, or what its outcome counts as from now on",
    }),
    timeToLiveSeconds,
    reason,
  },
  { title: "Settle" },
);

const tags = ["Deliveries"];
const messageTags = ["Messages"];
const response = { 200: DeliveryBody, ...refusals };

/** Who acts, for the history. */
export function actorOf(request: FastifyRequest) {
  const { userId, userName } = principalOf(request);
  return { userId, userName };
}

export function deliveryActionRoutes(
  app: HttpApp,
  { deliveryActions, messages, protocols }: DeliveryActionPorts,
): void {
  async function act(
    request: FastifyRequest,
    deliveryId: string,
    order: Parameters<DeliveryActions["act"]>[2],
  ) {
    const projectId = projectOf(request);
    await deliveryActions.act(projectId, deliveryId, order, actorOf(request));
    return await getDelivery(messages, projectId, deliveryId, protocols);
  }

  app.post(
    "/deliveries/:deliveryId/resend",
    {
      config: { operation: "deliveries.write" },
      schema: {
        summary: "Makes another attempt at a delivery, now",
        description:
          "From retrying, unknown, failed, rejected, suppressed, expired and cancelled. What costs money costs it again. Refused with `DELIVERY_STATE_CONFLICT` from other states, with `DELIVERY_EXPIRED` where its life is over and no new one is given, with `DELIVERY_UNWANTED` where its recipient is not to get it any more, with `DELIVERY_NOT_QUEUED` where the mailbox that it would be fetched from is full or disabled.",
        tags,
        params: deliveryParams,
        body: resendBody,
        response,
      },
    },
    async (request) =>
      await act(request, request.params.deliveryId, {
        action: "resend",
        ...request.body,
      }),
  );

  app.post(
    "/deliveries/:deliveryId/cancel",
    {
      config: { operation: "deliveries.write" },
      schema: {
        summary: "Cancels a delivery whose next attempt has not begun",
        description:
          "From waiting and retrying. An attempt that is under way (sending) cannot be taken back. Refused with `DELIVERY_STATE_CONFLICT` from other states.",
        tags,
        params: deliveryParams,
        body: cancelBody,
        response,
      },
    },
    async (request) =>
      await act(request, request.params.deliveryId, {
        action: "cancel",
        ...request.body,
      }),
  );

  app.post(
    "/messages/:messageId/cancel",
    {
      config: { operation: "deliveries.write" },
      schema: {
        summary: "Cancels a message",
        description:
          "What is not fanned out is not delivered to anybody, and the job that the answer names cancels what waits of its deliveries. What is being worked on cannot be taken back: it is attempted, and not tried again. Refused with `MESSAGE_STATE_CONFLICT` once it is cancelled, and where nothing is left to cancel, and with `JOB_QUOTA_EXCEEDED` while the project has as many cancellations under way as it may.",
        tags: messageTags,
        params: messageParams,
        body: cancelBody,
        response: { 200: MessageSummary, ...refusals },
      },
    },
    async (request) => {
      const projectId = projectOf(request);
      const { messageId } = request.params;
      const { reason } = request.body;
      const by = actorOf(request);
      await deliveryActions.cancelMessage(projectId, messageId, reason, by);
      // Without its text: its key may be gone, and it is cancelled all the same.
      return toSummary(await getMessage(messages, projectId, messageId));
    },
  );

  app.post(
    "/deliveries/:deliveryId/settle",
    {
      config: { operation: "deliveries.write" },
      schema: {
        summary: "Says what became of a delivery whose outcome is unknown",
        description:
          "Whoever settles it first decides; the next one is refused with `DELIVERY_STATE_CONFLICT`, which says who it was. To send it again may be refused as a resend is.",
        tags,
        params: deliveryParams,
        body: settleBody,
        response,
      },
    },
    async (request) => {
      const { as, ...rest } = request.body;
      return await act(request, request.params.deliveryId, {
        action: settlements[as],
        ...rest,
      });
    },
  );
}
