/**
 * Opt-outs: who does not want texts. The gateway and its carriers belong to
 * the whole installation, and so does this list: only operators see it.
 */

import {
  CarillonError,
  type Clock,
  checkStorable,
  type OptOutKey,
  type OptOutRecord,
  type OptOutRecordStore,
  toPhoneAddress,
} from "@carillon/core";
import { internationalDigits } from "@carillon/gateway";
import type { Static } from "typebox";
import { Type } from "../../json-schema.ts";
import type { HttpApp } from "../http-app.ts";
import { toMillisecondsText } from "../timestamps.ts";
import { failsWith } from "../validation.ts";
import { refusals } from "./error-answers.ts";
import { instant, limitParameter, readLimit } from "./schema-parts.ts";

export interface OptOutPorts {
  readonly optOuts: OptOutRecordStore;
  readonly clock: Clock;
}

const OptOutBody = Type.Object(
  {
    recipient: Type.String({ description: "The phone, in international form" }),
    sender: Type.Optional(
      Type.String({ description: "Our number or name; absent: all of them" }),
    ),
    keyword: Type.String({
      description: "The word that was sent, or what else led to it",
    }),
    since: instant("When the recipient opted out"),
  },
  { title: "OptOut" },
);

const OptOutList = Type.Object(
  {
    optOuts: Type.Array(OptOutBody, { description: "By their numbers" }),
    next: Type.Optional(
      Type.String({ description: "`after` of the next page, if there is one" }),
    ),
  },
  { title: "OptOutList" },
);

const recipient = Type.String({
  pattern: "^\\+?[0-9]{2,15}$",
  description: "In international form: with the plus, with 00, or with neither",
  ...failsWith("OPT_OUT_INVALID"),
});

const sender = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 32,
    description: "Our number or name; all of them by default",
    ...failsWith("OPT_OUT_INVALID"),
  }),
);

const NewOptOut = Type.Object(
  {
    recipient,
    sender,
    keyword: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 100,
        description: "Why",
        default: "MANUAL",
      }),
    ),
  },
  { title: "NewOptOut" },
);

const tags = ["Opt-outs"];

export function optOutRoutes(
  app: HttpApp,
  { optOuts, clock }: OptOutPorts,
): void {
  app.get(
    "/opt-outs",
    {
      config: { operation: "opt-outs.read" },
      schema: {
        summary: "Lists who does not want texts",
        tags,
        querystring: Type.Object({
          recipient: Type.Optional(recipient),
          limit: limitParameter,
          after: Type.Optional(
            Type.String({ description: "`next` of the page before" }),
          ),
        }),
        response: { 200: OptOutList, ...refusals },
      },
    },
    async (request) => {
      const { after } = request.query;
      const limit = readLimit(request.query.limit);
      if (request.query.recipient !== undefined) {
        const found = await optOuts.findOptOuts(
          recipientOf(request.query.recipient),
        );
        return { optOuts: found.map(toBody) };
      }
      const found = await optOuts.listOptOuts({
        limit: limit + 1,
        ...(after !== undefined && { after: parseMarker(after) }),
      });
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return {
        optOuts: page.map(toBody),
        ...(last && found.length > limit && { next: toMarker(last) }),
      };
    },
  );

  app.post(
    "/opt-outs",
    {
      config: { operation: "opt-outs.write" },
      schema: {
        summary: "Keeps texts from somebody",
        tags,
        body: NewOptOut,
        response: { 201: OptOutBody, ...refusals },
      },
    },
    async (request, reply) => {
      const { keyword = "MANUAL" } = request.body;
      const optOut: OptOutRecord = {
        recipient: recipientOf(request.body.recipient),
        ...senderOf(request.body.sender),
        keyword: checkStorable(keyword, "OPT_OUT_INVALID", "keyword"),
        at: clock.now(),
      };
      await optOuts.putOptOut(optOut);
      reply.code(201);
      return toBody(optOut);
    },
  );

  app.delete(
    "/opt-outs/:recipient",
    {
      config: { operation: "opt-outs.write" },
      schema: {
        summary: "Lets somebody get texts again",
        description:
          "Takes back one opt-out if a sender is named, else all of the recipient.",
        tags,
        params: Type.Object({ recipient }),
        querystring: Type.Object({ sender }),
        response: { 204: Type.Null(), ...refusals },
      },
    },
    async (request, reply) => {
      const { sender: named } = senderOf(request.query.sender);
      const found = await optOuts.findOptOuts(
        recipientOf(request.params.recipient),
      );
      let removed = 0;
      for (const optOut of found) {
        if (named !== undefined && optOut.sender !== named) continue;
        await optOuts.removeOptOut(optOut.recipient, optOut.sender);
        removed++;
      }
      if (removed === 0) throw new CarillonError("OPT_OUT_NOT_FOUND");
      return reply.code(204).send(null);
    },
  );
}

/**
 * As the gateway looks for it.
 *
 * @throws CarillonError OPT_OUT_INVALID
 */
function recipientOf(number: string): string {
  const digits = internationalDigits(number);
  if (digits !== "") return digits;
  throw new CarillonError(
    "OPT_OUT_INVALID",
    "Invalid recipient: a number in international form is expected.",
  );
}

/** As the gateway looks for it: digits, or a name in capitals. */
function senderOf(text: string | undefined): { sender?: string } {
  if (text === undefined) return {};
  const key = /\p{L}/u.test(text)
    ? text.toUpperCase()
    : internationalDigits(text);
  checkStorable(key, "OPT_OUT_INVALID", "sender");
  if (key !== "") return { sender: key };
  throw new CarillonError(
    "OPT_OUT_INVALID",
    "Invalid sender: a number or a name is expected.",
  );
}

/** Recipients have digits only, so that the first dot ends one. */
function toMarker({ recipient, sender = "" }: OptOutKey): string {
  return `${recipient}.${sender}`;
}

/** @throws CarillonError PAGE_INVALID */
function parseMarker(text: string): OptOutKey {
  const [, recipient, sender = ""] = /^([0-9]{1,20})\.(.*)$/s.exec(text) ?? [];
  if (recipient !== undefined) return { recipient, ...(sender && { sender }) };
  throw new CarillonError(
    "PAGE_INVALID",
    "Invalid after: the next of a page before is expected.",
  );
}

function toBody({
  recipient,
  sender,
  keyword,
  at,
}: OptOutRecord): Static<typeof OptOutBody> {
  return {
    recipient: toPhoneAddress(recipient),
    ...(sender !== undefined && { sender: toPhoneAddress(sender) }),
    keyword,
    since: toMillisecondsText(at),
  };
}
