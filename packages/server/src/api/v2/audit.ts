/** The audit log: who logged in, and who changed what. */

import type { AuditEntry, AuditStore } from "@carillon/core";
import type { Static } from "typebox";
import { Type } from "../../json-schema.ts";
import { requestReach } from "../authorization.ts";
import type { HttpApp } from "../http-app.ts";
import { toMillisecondsText } from "../timestamps.ts";
import { failsWith } from "../validation.ts";
import { refusals } from "./error-answers.ts";
import { instant, limitParameter, readLimit } from "./schema-parts.ts";

const AuditEntryBody = Type.Object(
  {
    at: instant("When; of several, the last one"),
    action: Type.String({
      description:
        "login, login_refused, or the route that was called with its method",
    }),
    count: Type.Integer({
      description: "How many alike it stands for: refused log-ins are counted",
    }),
    userId: Type.Optional(Type.String()),
    userName: Type.Optional(Type.String()),
    domainId: Type.Optional(Type.String()),
    target: Type.Optional(
      Type.String({ description: "The path of the request" }),
    ),
    address: Type.Optional(
      Type.String({ description: "The client's IP address" }),
    ),
    requestId: Type.Optional(Type.String()),
  },
  { title: "AuditEntry" },
);

const AuditEntryList = Type.Object(
  {
    entries: Type.Array(AuditEntryBody),
    next: Type.Optional(
      Type.String({
        description: "`before` of the next page, if there is one",
      }),
    ),
  },
  { title: "AuditEntryList" },
);

const listQuery = Type.Object({
  userId: Type.Optional(
    Type.String({ maxLength: 128, description: "Only of this user" }),
  ),
  action: Type.Optional(
    Type.String({ maxLength: 256, description: "Only of this kind" }),
  ),
  limit: limitParameter,
  before: Type.Optional(
    Type.String({
      pattern: "^[0-9]{1,15}$",
      description: "`next` of the page before",
      ...failsWith("PAGE_INVALID"),
    }),
  ),
});

export function auditLogRoutes(
  app: HttpApp,
  audit: Pick<AuditStore, "listAuditEntries">,
): void {
  app.get(
    "/audit",
    {
      config: { operation: "audit.read" },
      schema: {
        summary: "Lists who logged in and who changed what, newest first",
        description:
          "Of the caller's domain; operators see the whole installation.",
        tags: ["Service"],
        querystring: listQuery,
        response: { 200: AuditEntryList, ...refusals },
      },
    },
    async (request) => {
      const { userId, action, before } = request.query;
      const reach = requestReach(request);
      const domainId = reach.kind === "all" ? undefined : reach.domainId;
      const limit = readLimit(request.query.limit);
      const found = await audit.listAuditEntries(
        { domainId, userId, action },
        {
          limit: limit + 1,
          before: before === undefined ? undefined : Number(before),
        },
      );
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return {
        entries: page.map(toBody),
        ...(last && found.length > limit && { next: String(last.seq) }),
      };
    },
  );
}

function toBody({
  seq: _,
  at,
  ...entry
}: AuditEntry): Static<typeof AuditEntryBody> {
  return { at: toMillisecondsText(at), ...entry };
}
