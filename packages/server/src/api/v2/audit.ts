/** The audit log: who logged in, and who changed what. */

import {
  type AuditEntry,
  type AuditPosition,
  type AuditStore,
  toEpochMs,
} from "@carillon/core";
import type { Static } from "typebox";
import { RequestError } from "../../errors.ts";
import {
  auditActionNames,
  isAuditAction,
} from "../../identity/audit-actions.ts";
import { Type } from "../../json-schema.ts";
import { requestReach } from "../authorization.ts";
import type { HttpApp } from "../http-app.ts";
import { toMillisecondsText } from "../timestamps.ts";
import { failsWith } from "../validation.ts";
import { refusals } from "./error-answers.ts";
import { instant, limitParameter, readLimit } from "./schema-parts.ts";

/** Looked at for one page: a few milliseconds. */
const maxScanned = 5000;

/** Time and number of the last entry of a page. */
const markerPattern = /^([0-9]{1,15})-([0-9]{1,15})$/;

const AuditEntryBody = Type.Object(
  {
    at: instant("When; of several, the last one"),
    action: Type.String({
      description: `One of ${auditActionNames.join(", ")}`,
    }),
    count: Type.Integer({
      description:
        "How many alike it stands for: refused log-ins and changes that are repeated are counted",
    }),
    userId: Type.Optional(Type.String({ description: "Who" })),
    userName: Type.Optional(Type.String({ description: "Who, by name" })),
    domainId: Type.Optional(
      Type.String({
        description:
          "The domain of what was changed, or of the user who logged in",
      }),
    ),
    target: Type.Optional(
      Type.String({ description: "The path of the request" }),
    ),
    details: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description:
          "What was made or set, such as `id`, `name`, `role` and `enabled`, each as a text of 512 characters at most",
      }),
    ),
    address: Type.Optional(
      Type.String({ description: "The client's IP address" }),
    ),
    requestId: Type.Optional(Type.String({ description: "As the log has it" })),
  },
  { title: "AuditEntry" },
);

const AuditEntryList = Type.Object(
  {
    entries: Type.Array(AuditEntryBody, { description: "Newest first" }),
    next: Type.Optional(
      Type.String({
        description:
          "`before` of the next page, if there is one; a page may be shorter than asked for, or empty, and have a next one",
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
    Type.String({
      maxLength: 256,
      description: `Only of this kind: ${auditActionNames.join(", ")}`,
    }),
  ),
  limit: limitParameter,
  before: Type.Optional(
    Type.String({
      pattern: markerPattern.source,
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
          "Of the caller's domain: log-ins of its users, and changes of what belongs to it, by operators too; operators see the whole installation.",
        tags: ["Service"],
        querystring: listQuery,
        response: { 200: AuditEntryList, ...refusals },
      },
    },
    async (request) => {
      const { userId, action, before } = request.query;
      const reach = requestReach(request);
      const domainId = reach.kind === "all" ? undefined : reach.domainId;
      if (action !== undefined && !isAuditAction(action)) {
        throw new RequestError(
          "REQUEST_INVALID",
          `There is no action ${JSON.stringify(action)} in the audit log: one of ${auditActionNames.join(", ")} is expected.`,
        );
      }
      const { entries, next } = await audit.listAuditEntries(
        { domainId, userId, action },
        {
          limit: readLimit(request.query.limit),
          before: before === undefined ? undefined : parseMarker(before),
          maxScanned,
        },
      );
      return {
        entries: entries.map(toBody),
        ...(next && { next: `${next.at}-${next.seq}` }),
      };
    },
  );
}

function parseMarker(text: string): AuditPosition {
  const [, at, seq] = markerPattern.exec(text) ?? [];
  return { at: toEpochMs(Number(at)), seq: Number(seq) };
}

function toBody({
  seq: _,
  at,
  ...entry
}: AuditEntry): Static<typeof AuditEntryBody> {
  return { at: toMillisecondsText(at), ...entry };
}
