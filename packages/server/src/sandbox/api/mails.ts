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
    id: Type.String({ description: "Of the mail" }),
    receivedAt: instant("When it came"),
    envelopeFrom: Type.String({ description: "Sender of the SMTP envelope" }),
    envelopeTo: Type.Array(Type.String(), {
      description: "Recipients of the SMTP envelope",
    }),
    from: Type.String({ description: "Of its header" }),
    to: Type.Array(Type.String(), { description: "Of its header" }),
    subject: Type.String({ description: "Of its header" }),
    text: Type.String({ description: "Its plain text" }),
    html: Type.String({ description: "Its HTML, else empty" }),
    attachments: Type.Array(
      Type.Object({
        name: Type.String({ description: "Of the file; empty: it has none" }),
        contentType: Type.String({ description: "Its media type" }),
        size: Type.Integer({ description: "Its bytes" }),
        contentId: Type.Optional(
          Type.String({ description: "What `cid:` of the HTML names" }),
        ),
      }),
      { description: "Files and inline images, without what is in them" },
    ),
    headers: Type.Array(
      Type.Object({
        name: Type.String({ description: "Of the field" }),
        value: Type.String({ description: "Of the field" }),
      }),
      { description: "All of its header, in order" },
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
    attachments: [...mail.attachments],
    headers: [...mail.headers],
  };
}
