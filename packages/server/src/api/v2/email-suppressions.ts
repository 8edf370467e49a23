/** The suppression list of a project: addresses that get no mails. */

import { suppressionKeyOf } from "@carillon/channels";
import {
  CarillonError,
  type Clock,
  checkStorable,
  type EmailSuppression,
  type MailEventStore,
  type Protocols,
  suppressionReasons,
} from "@carillon/core";
import type { Static } from "typebox";
import { Type } from "../../json-schema.ts";
import { projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { toMillisecondsText } from "../timestamps.ts";
import { failsWith } from "../validation.ts";
import { refusals } from "./error-answers.ts";
import { instant, limitParameter, readLimit } from "./schema-parts.ts";

export interface EmailSuppressionPorts {
  readonly suppressions: Pick<
    MailEventStore,
    | "findEmailSuppressions"
    | "addEmailSuppression"
    | "removeEmailSuppression"
    | "listEmailSuppressions"
  >;
  readonly protocols: Protocols;
  readonly clock: Clock;
}

const SuppressionBody = Type.Object(
  {
    address: Type.String({ description: "As it was written" }),
    reason: Type.Enum([...suppressionReasons], {
      description:
        "The strongest, and the last of several: bounced: it takes no mail, or bounced softly too often; complained, stronger: its owner called a mail spam; manual, the strongest: somebody put it here",
    }),
    detail: Type.Optional(Type.String({ description: "Why, in words" })),
    since: instant("When it was put here, or its last reason came"),
    deliveryId: Type.Optional(
      Type.String({ description: "The delivery that led to it" }),
    ),
    count: Type.Integer({ description: "How often there was a reason" }),
  },
  { title: "EmailSuppression" },
);

const SuppressionList = Type.Object(
  {
    suppressions: Type.Array(SuppressionBody, {
      description: "By their addresses",
    }),
    next: Type.Optional(
      Type.String({ description: "`after` of the next page, if there is one" }),
    ),
  },
  { title: "EmailSuppressionList" },
);

const address = Type.String({
  minLength: 3,
  maxLength: 320,
  description: "A mail address",
  ...failsWith("SUPPRESSION_ADDRESS_INVALID"),
});

const NewSuppression = Type.Object(
  {
    address,
    detail: Type.Optional(
      Type.String({ maxLength: 500, description: "Why, in words" }),
    ),
  },
  { title: "NewEmailSuppression" },
);

const tags = ["Suppressed addresses"];

export function emailSuppressionRoutes(
  app: HttpApp,
  { suppressions, protocols, clock }: EmailSuppressionPorts,
): void {
  /** @throws CarillonError SUPPRESSION_ADDRESS_INVALID */
  function keyOf(text: string): string {
    const problem = protocols.find("email")?.problemWithEndpoint(text);
    if (problem === undefined) return suppressionKeyOf(text);
    throw new CarillonError(
      "SUPPRESSION_ADDRESS_INVALID",
      `Invalid address: ${problem}.`,
    );
  }

  app.get(
    "/email-suppressions",
    {
      config: { operation: "email-suppressions.read" },
      schema: {
        summary: "Lists the addresses that get no mails",
        tags,
        querystring: Type.Object({
          address: Type.Optional(address),
          limit: limitParameter,
          after: Type.Optional(
            Type.String({ description: "`next` of the page before" }),
          ),
        }),
        response: { 200: SuppressionList, ...refusals },
      },
    },
    async (request) => {
      const { address: wanted, after } = request.query;
      const limit = readLimit(request.query.limit);
      const projectId = projectOf(request);
      if (wanted !== undefined) {
        const key = keyOf(wanted);
        const found = await suppressions.findEmailSuppressions([
          { projectId, key },
        ]);
        return { suppressions: found.map(toBody) };
      }
      const found = await suppressions.listEmailSuppressions(projectId, {
        limit: limit + 1,
        ...(after !== undefined && { after }),
      });
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return {
        suppressions: page.map(toBody),
        ...(last && found.length > limit && { next: last.key }),
      };
    },
  );

  app.post(
    "/email-suppressions",
    {
      config: { operation: "email-suppressions.write" },
      schema: {
        summary: "Keeps mails from an address",
        tags,
        body: NewSuppression,
        response: { 201: SuppressionBody, ...refusals },
      },
    },
    async (request, reply) => {
      const { address: given, detail } = request.body;
      const key = keyOf(given);
      const added = await suppressions.addEmailSuppression({
        projectId: projectOf(request),
        key,
        address: given,
        reason: "manual",
        ...(detail !== undefined && {
          detail: checkStorable(
            detail,
            "SUPPRESSION_ADDRESS_INVALID",
            "detail",
          ),
        }),
        at: clock.now(),
      });
      reply.code(201);
      return toBody(added);
    },
  );

  app.delete(
    "/email-suppressions/:address",
    {
      config: { operation: "email-suppressions.write" },
      schema: {
        summary: "Lets an address get mails again",
        description:
          "What was suppressed meanwhile is not sent by itself: deliveries are sent again one by one, or by a job.",
        tags,
        params: Type.Object({ address }),
        response: { 204: Type.Null(), ...refusals },
      },
    },
    async (request, reply) => {
      const isRemoved = await suppressions.removeEmailSuppression(
        projectOf(request),
        keyOf(request.params.address),
      );
      if (!isRemoved) throw new CarillonError("SUPPRESSION_NOT_FOUND");
      return reply.code(204).send(null);
    },
  );
}

function toBody({
  address,
  reason,
  detail,
  at,
  deliveryId,
  count,
}: EmailSuppression): Static<typeof SuppressionBody> {
  return {
    address,
    reason,
    ...(detail !== undefined && { detail }),
    since: toMillisecondsText(at),
    ...(deliveryId !== undefined && { deliveryId }),
    count,
  };
}
