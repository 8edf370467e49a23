/** What mail servers and services reported of a mail, as it came. */

import {
  CarillonError,
  type MailEventStore,
  mailEventKinds,
  parseDeliveryId,
} from "@carillon/core";
import { Type } from "../../json-schema.ts";
import { projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { toMillisecondsText } from "../timestamps.ts";
import { deliveryParams } from "./deliveries.ts";
import { refusals } from "./error-answers.ts";
import type { V2Ports } from "./ports.ts";
import { instant } from "./schema-parts.ts";

export interface MailEventPorts extends Pick<V2Ports, "messages"> {
  readonly mailEvents: Pick<MailEventStore, "listMailEvents">;
}

const MailEventBody = Type.Object(
  {
    event: Type.Enum([...mailEventKinds], {
      description:
        "delivered; deferred: a server tries again; bounced: it came back; rejected: refused for what it is; complained: called spam",
    }),
    hard: Type.Optional(
      Type.Boolean({
        description: "Of what bounced: whether the address takes no mail",
      }),
    ),
    at: instant("When it happened, as far as the reporter says"),
    receivedAt: instant("When the report came"),
    recipient: Type.Optional(
      Type.String({ description: "The address that the report names" }),
    ),
    code: Type.Optional(
      Type.String({ description: "Enhanced status such as 5.1.1" }),
    ),
    diagnostic: Type.Optional(
      Type.String({ description: "The words of the server that refused it" }),
    ),
    raw: Type.Optional(
      Type.String({ description: "The report as it came, at most 64 KB" }),
    ),
  },
  { title: "MailEvent" },
);

const MailEventList = Type.Object(
  {
    events: Type.Array(MailEventBody, {
      description: "In the order in which they came",
    }),
  },
  { title: "MailEventList" },
);

export function mailEventRoutes(
  app: HttpApp,
  { messages, mailEvents }: MailEventPorts,
): void {
  app.get(
    "/deliveries/:deliveryId/mail-events",
    {
      config: { operation: "messages.read" },
      schema: {
        summary: "Lists what was reported of a mail",
        description:
          "Bounces, delays, complaints: with the report as it came. What they led to stands in the delivery's `receipts`.",
        tags: ["Deliveries"],
        params: deliveryParams,
        response: { 200: MailEventList, ...refusals },
      },
    },
    async (request) => {
      const id = parseDeliveryId(request.params.deliveryId);
      const report =
        id && (await messages.findMessage(projectOf(request), id.message));
      const delivery =
        report && (await messages.findDelivery(report.message.seq, id.target));
      if (!delivery) {
        throw new CarillonError("DELIVERY_NOT_FOUND", "Delivery not found.");
      }
      const events = await mailEvents.listMailEvents(
        delivery.messageSeq,
        delivery.target,
      );
      return {
        events: events.map(({ at, receivedAt, ...event }) => ({
          ...event,
          at: toMillisecondsText(at),
          receivedAt: toMillisecondsText(receivedAt),
        })),
      };
    },
  );
}
