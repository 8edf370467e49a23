/** The mails that came to the sandbox. */

import type { HttpApp } from "../../api/http-app.ts";
import { toMillisecondsText } from "../../api/timestamps.ts";
import { refusals } from "../../api/v2/error-answers.ts";
import { instant } from "../../api/v2/schema-parts.ts";
import { Type } from "../../json-schema.ts";
import type { CapturedMail, MailCapture } from "../mail-capture.ts";
import { newest, searchParameters } from "./newest.ts";
import { seenBy } from "./seen-by.ts";

const tags = ["Sandbox"];

const MailBody = Type.Object(
  {
    id: Type.String(),
    receivedAt: instant("When it came"),
    envelopeFrom: Type.String(),
    envelopeTo: Type.Array(Type.String()),
    from: Type.String(),
    to: Type.Array(Type.String()),
    subject: Type.String(),
    text: Type.String(),
    html: Type.String(),
    headers: Type.Array(
      Type.Object({ name: Type.String(), value: Type.String() }),
    ),
  },
  { title: "Mail" },
);

const MailList = Type.Object(
  { mails: Type.Array(MailBody, { description: "Oldest first" }) },
  { title: "MailList" },
);

const listQuery = Type.Object({
  to: Type.Optional(
    Type.String({ description: "Only those sent to this address" }),
  ),
  ...searchParameters("a recipient, the subject or the text"),
});

export function mailInspectionRoutes(app: HttpApp, mails: MailCapture): void {
  app.get(
    "/mails",
    {
      config: { operation: "sandbox.read" },
      schema: {
        summary: "Lists the mails that came",
        tags,
        querystring: listQuery,
        response: { 200: MailList, ...refusals },
      },
    },
    async (request) => ({
      mails: newest(
        mails.list({ to: request.query.to, isSeen: seenBy(request) }),
        ({ envelopeTo, to, subject, text }) => [
          ...envelopeTo,
          ...to,
          subject,
          text,
        ],
        request.query,
      ).map(toBody),
    }),
  );

  app.delete(
    "/mails",
    {
      config: { operation: "sandbox.write" },
      schema: {
        summary: "Empties the mailbox",
        tags,
        response: { 204: Type.Null(), ...refusals },
      },
    },
    async (request, reply) => {
      mails.clear({ isSeen: seenBy(request) });
      return reply.code(204).send(null);
    },
  );
}

function toBody({
  receivedAt,
  bytes: _,
  projectId: __,
  ...mail
}: CapturedMail) {
  return {
    ...mail,
    receivedAt: toMillisecondsText(receivedAt),
    envelopeTo: [...mail.envelopeTo],
    to: [...mail.to],
    headers: [...mail.headers],
  };
}
