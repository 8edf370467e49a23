/** What the sandbox received, under `/api/v2/sandbox`. */

import type { HttpApp } from "../../api/http-app.ts";
import type { OriginOf } from "../../api/origin.ts";
import { refusals } from "../../api/v2/error-answers.ts";
import { Type } from "../../json-schema.ts";
import type { Sandbox } from "../sandbox.ts";
import { countBy } from "./count-by.ts";
import { mailInspectionRoutes } from "./mails.ts";
import { listPhones, PhoneList, phoneInspectionRoutes } from "./phones.ts";
import { seenBy } from "./seen-by.ts";
import { webhookInspectionRoutes } from "./webhooks.ts";

const Overview = Type.Object(
  {
    webhooks: Type.Array(
      Type.Object({
        name: Type.String({ description: "The last part of its address" }),
        url: Type.String({ description: "Its address" }),
        requests: Type.Integer({ description: "How many it got" }),
      }),
      { description: "Those that were sent something" },
    ),
    mails: Type.Object(
      {
        smtpUrl: Type.String({ description: "Where they take mail" }),
        messages: Type.Integer({ description: "How many they got" }),
      },
      { description: "All mailboxes together" },
    ),
    ...PhoneList.properties,
  },
  { title: "SandboxOverview" },
);

export function sandboxRoutes(
  app: HttpApp,
  { webhooks, mails, phones }: Sandbox,
  originOf: OriginOf,
): void {
  app.register(
    async (sandbox: HttpApp) => {
      sandbox.get(
        "/",
        {
          config: { operation: "sandbox.read" },
          schema: {
            summary: "Lists the sandbox's receivers",
            tags: ["Sandbox"],
            response: { 200: Overview, ...refusals },
          },
        },
        async (request) => ({
          webhooks: countBy(
            webhooks.list({ isSeen: seenBy(request) }),
            ({ name }) => name,
          ).map(([name, requests]) => ({
            name,
            url: `${originOf(request)}/sandbox/webhooks/${encodeURIComponent(name)}`,
            requests,
          })),
          mails: {
            smtpUrl: mails.smtpUrl,
            messages: mails.list({ isSeen: seenBy(request) }).length,
          },
          phones: listPhones(phones, request),
        }),
      );

      sandbox.delete(
        "/",
        {
          config: { operation: "sandbox.write" },
          schema: {
            summary: "Empties all of it",
            tags: ["Sandbox"],
            response: { 204: Type.Null(), ...refusals },
          },
        },
        async (request, reply) => {
          const isSeen = seenBy(request);
          webhooks.clear({ isSeen });
          mails.clear({ isSeen });
          phones.clear({ isSeen });
          return reply.code(204).send(null);
        },
      );

      webhookInspectionRoutes(sandbox, webhooks);
      mailInspectionRoutes(sandbox, mails);
      phoneInspectionRoutes(sandbox, phones);
    },
    { prefix: "/sandbox" },
  );
}
