/** The sandbox's phones: read what they got, and write on them. */

import type { FastifyRequest } from "fastify";
import { principalOf } from "../../api/authentication.ts";
import type { HttpApp } from "../../api/http-app.ts";
import { toMillisecondsText } from "../../api/timestamps.ts";
import { refusals } from "../../api/v2/error-answers.ts";
import { instant } from "../../api/v2/schema-parts.ts";
import { Type } from "../../json-schema.ts";
import type { PhoneMessage, Phones } from "../phones.ts";
import { countBy } from "./count-by.ts";
import { newest, searchParameters } from "./newest.ts";
import { seenBy } from "./seen-by.ts";

const tags = ["Sandbox"];

const PhoneMessageBody = Type.Object(
  {
    id: Type.String({ description: "Of the text" }),
    at: instant("When it came, or was sent"),
    direction: Type.Union([Type.Literal("received"), Type.Literal("sent")], {
      description: "As the phone sees it",
    }),
    number: Type.String({ description: "The phone's" }),
    text: Type.String({ description: "As the phone shows it" }),
  },
  { title: "PhoneMessage" },
);

const PhoneMessageList = Type.Object(
  {
    messages: Type.Array(PhoneMessageBody, { description: "Oldest first" }),
  },
  { title: "PhoneMessageList" },
);

export const PhoneList = Type.Object(
  {
    phones: Type.Array(
      Type.Object({
        number: Type.String({ description: "The phone's" }),
        messages: Type.Integer({ description: "Texts it got and sent" }),
      }),
      { description: "Those that were sent texts" },
    ),
  },
  { title: "PhoneList" },
);

const listQuery = Type.Object(searchParameters("the number or the text"));

const numberParams = Type.Object({
  number: Type.String({
    pattern: "^\\+?[0-9]{3,15}$",
    description: "In international form, with or without the plus",
  }),
});

export function phoneInspectionRoutes(app: HttpApp, phones: Phones): void {
  app.get(
    "/phones",
    {
      config: { operation: "sandbox.read" },
      schema: {
        summary: "Lists the phones that were sent texts",
        tags,
        response: { 200: PhoneList, ...refusals },
      },
    },
    async (request) => ({ phones: listPhones(phones, request) }),
  );

  app.delete(
    "/phones",
    {
      config: { operation: "sandbox.write" },
      schema: {
        summary: "Empties the phones",
        tags,
        response: { 204: Type.Null(), ...refusals },
      },
    },
    async (request, reply) => {
      phones.clear({ isSeen: seenBy(request) });
      return reply.code(204).send(null);
    },
  );

  app.get(
    "/phone-messages",
    {
      config: { operation: "sandbox.read" },
      schema: {
        summary: "Lists the texts of all phones",
        tags,
        querystring: listQuery,
        response: { 200: PhoneMessageList, ...refusals },
      },
    },
    async (request) => ({
      messages: newest(
        phones.list({ isSeen: seenBy(request) }),
        textsOf,
        request.query,
      ).map(toBody),
    }),
  );

  app.get(
    "/phones/:number/messages",
    {
      config: { operation: "sandbox.read" },
      schema: {
        summary: "Lists a phone's texts",
        tags,
        params: numberParams,
        querystring: listQuery,
        response: { 200: PhoneMessageList, ...refusals },
      },
    },
    async (request) => ({
      messages: newest(
        phones.list({
          number: request.params.number,
          isSeen: seenBy(request),
        }),
        textsOf,
        request.query,
      ).map(toBody),
    }),
  );

  app.post(
    "/phones/:number/messages",
    {
      config: { operation: "sandbox.write" },
      schema: {
        summary: "Writes a text on the phone, to us",
        tags,
        params: numberParams,
        body: Type.Object({
          text: Type.String({
            maxLength: 10_000,
            description: "What is written on the phone",
          }),
          to: Type.Optional(
            Type.String({
              pattern: "^\\+?[0-9]{2,15}$",
              description: "Which number of ours it is sent to",
            }),
          ),
        }),
        response: { 201: PhoneMessageBody, ...refusals },
      },
    },
    async (request, reply) => {
      const { number } = request.params;
      const { text, to } = request.body;
      const message = await phones.reply(
        number,
        text,
        to,
        principalOf(request).project?.id,
      );
      reply.code(201);
      return toBody(message);
    },
  );

  app.delete(
    "/phones/:number/messages",
    {
      config: { operation: "sandbox.write" },
      schema: {
        summary: "Empties a phone",
        tags,
        params: numberParams,
        response: { 204: Type.Null(), ...refusals },
      },
    },
    async (request, reply) => {
      const { number } = request.params;
      phones.clear({ number, isSeen: seenBy(request) });
      return reply.code(204).send(null);
    },
  );
}

export function listPhones(phones: Phones, request: FastifyRequest) {
  const seen = phones.list({ isSeen: seenBy(request) });
  return countBy(seen, ({ number }) => number).map(([number, messages]) => ({
    number,
    messages,
  }));
}

function textsOf({ number, text }: PhoneMessage): readonly string[] {
  return [number, text];
}

function toBody({ at, bytes: _, projectId: __, ...message }: PhoneMessage) {
  return { ...message, at: toMillisecondsText(at) };
}
