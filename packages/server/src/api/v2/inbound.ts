/** Inbound messages: texts that phones sent to us. */

import {
  CarillonError,
  type InboundMessage,
  type InboundStore,
  isHexId,
  type ProjectId,
  toPhoneAddress,
} from "@carillon/core";
import type { Static } from "typebox";
import { Type } from "../../json-schema.ts";
import { projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { toMillisecondsText } from "../timestamps.ts";
import { refusals } from "./error-answers.ts";
import {
  instant,
  limitParameter,
  parseInstant,
  readLimit,
  sinceParameter,
} from "./schema-parts.ts";

export interface InboundPorts {
  readonly inbound: Pick<InboundStore, "findInbound" | "listInbound">;
}

const InboundBody = Type.Object(
  {
    id: Type.String({ description: "Of the inbound message" }),
    provider: Type.String({ description: "What it came through" }),
    externalId: Type.Optional(
      Type.String({ description: "The carrier's id of it" }),
    ),
    from: Type.String({
      description: "The phone; empty if the carrier does not say",
    }),
    to: Type.Optional(
      Type.String({ description: "Our number, if the carrier says it" }),
    ),
    text: Type.String({ description: "What the phone sent" }),
    keyword: Type.Optional(
      Type.String({ description: "The first word, in capitals" }),
    ),
    receivedAt: instant("When it came to us"),
    messageId: Type.Optional(
      Type.String({
        description: "The message it was published as, if a topic is bound",
      }),
    ),
  },
  { title: "InboundMessage" },
);

const InboundList = Type.Object(
  {
    inbound: Type.Array(InboundBody, { description: "Newest first" }),
    next: Type.Optional(
      Type.String({
        description: "`before` of the next page, if there is one",
      }),
    ),
  },
  { title: "InboundMessageList" },
);

const listQuery = Type.Object({
  from: Type.Optional(
    Type.String({
      maxLength: 64,
      description: "Only from this phone: a number in any form, or a name",
    }),
  ),
  to: Type.Optional(
    Type.String({ maxLength: 64, description: "Only to this number of ours" }),
  ),
  since: sinceParameter("Only those received"),
  limit: limitParameter,
  before: Type.Optional(
    Type.String({
      description: "Id of an inbound message: the page starts behind it",
    }),
  ),
});

export function inboundRoutes(app: HttpApp, { inbound }: InboundPorts): void {
  app.get(
    "/inbound",
    {
      config: { operation: "messages.read" },
      schema: {
        summary: "Lists texts from phones, newest first",
        tags: ["Inbound texts"],
        querystring: listQuery,
        response: { 200: InboundList, ...refusals },
      },
    },
    async (request) => {
      const projectId = projectOf(request);
      const { from, to, since, before } = request.query;
      const limit = readLimit(request.query.limit);
      const start =
        before === undefined
          ? undefined
          : await getInbound(inbound, projectId, before);
      const found = await inbound.listInbound(
        projectId,
        {
          ...(from !== undefined && { from: toPhoneAddress(from) }),
          ...(to !== undefined && { to: toPhoneAddress(to) }),
          ...(since !== undefined && { since: parseInstant(since) }),
        },
        { limit: limit + 1, ...(start && { before: start.seq }) },
      );
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return {
        inbound: page.map(toBody),
        ...(last && found.length > limit && { next: last.id }),
      };
    },
  );

  app.get(
    "/inbound/:inboundId",
    {
      config: { operation: "messages.read" },
      schema: {
        summary: "Shows a text from a phone",
        tags: ["Inbound texts"],
        params: Type.Object({
          inboundId: Type.String({ description: "Id of an inbound message" }),
        }),
        response: { 200: InboundBody, ...refusals },
      },
    },
    async (request) =>
      toBody(
        await getInbound(inbound, projectOf(request), request.params.inboundId),
      ),
  );
}

/** @throws CarillonError INBOUND_NOT_FOUND */
async function getInbound(
  inbound: Pick<InboundStore, "findInbound">,
  projectId: ProjectId,
  id: string,
): Promise<InboundMessage> {
  const found = isHexId(id)
    ? await inbound.findInbound(projectId, id)
    : undefined;
  if (found) return found;
  throw new CarillonError("INBOUND_NOT_FOUND", "Inbound message not found.");
}

function toBody({
  seq: _,
  projectId: __,
  receivedAt,
  ...message
}: InboundMessage): Static<typeof InboundBody> {
  return { ...message, receivedAt: toMillisecondsText(receivedAt) };
}
