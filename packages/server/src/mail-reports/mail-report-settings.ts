/** What `email` of the configuration may hold on bounces and complaints. */

import { Type } from "../json-schema.ts";
import { problemWithWebhookSecret } from "./webhook-signature.ts";

const group = "E-mail";

export const mailReportSettings = {
  bounces: Type.Object({
    domain: Type.Optional(
      Type.String({
        group,
        description:
          "Domain that bounces come back to: each mail is sent from an address of its own there. Its mail has to reach `email.bounces.port`; see the guide on bounces. Without it bounces go to the sender.",
        expected: "a domain such as bounces.example.com",
        example: "bounces.example.com",
        pattern:
          "^(?=.{1,180}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+$",
      }),
    ),
    mailbox: Type.String({
      group,
      description:
        "What bounce addresses begin with, in front of the `+`. Complaints may go to it without a `+`.",
      expected: "1 to 7 small letters and digits",
      default: "bounce",
      pattern: "^[a-z0-9]{1,7}$",
    }),
    port: Type.Optional(
      Type.Integer({
        group,
        description:
          "Port on which bounces and complaints are taken by SMTP; 0 picks a free one. Without it nothing listens.",
        expected: "a whole number from 0 to 65535 (0 picks a free port)",
        example: 2525,
        minimum: 0,
        maximum: 65_535,
      }),
    ),
    host: Type.String({
      group,
      description:
        "Address to listen on for them; `0.0.0.0` or `::` for all of them.",
      expected: "a host name or IP address",
      default: "127.0.0.1",
      pattern: "^[A-Za-z0-9.:_-]{1,253}$",
    }),
    trustMessageIds: Type.Boolean({
      group,
      withoutFlag: true,
      description:
        "Whether a report that names a mail by its Message-ID alone counts. Anybody who got a mail can make up such a report on it: only where no stranger reaches the port.",
      expected: "true or false",
      default: false,
    }),
  }),
  webhookSecret: Type.Optional(
    Type.String({
      group,
      reloadable: true,
      secret: true,
      withoutFlag: true,
      description:
        "Secret that events of mails are signed with (Standard Webhooks) when a service posts them to `/receivers/{secret}/email/events`. Without it they are refused.",
      expected: "whsec_ and 16 to 64 bytes in base64",
      example: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
      problem: problemWithWebhookSecret,
    }),
  ),
  mandrillKey: Type.Optional(
    Type.String({
      group,
      reloadable: true,
      secret: true,
      withoutFlag: true,
      description:
        "Key of Mandrill's webhook, when mails go through Mandrill: its reports are checked by it, and each mail tells Mandrill its name (X-MC-Metadata). Without it reports are refused.",
      expected: "a key",
      example: "kR2pX0oM1f4xhQyFzU7s3w",
      pattern: "^[\\x21-\\x7e]{1,200}$",
    }),
  ),
  reportDays: Type.Integer({
    group,
    reloadable: true,
    description:
      "Days after a mail was handed over for which reports on it are waited for; after that `sent` is its last state, though a late report still counts. Most mail servers give up after five days.",
    expected: "a whole number from 1 to 30",
    default: 5,
    minimum: 1,
    maximum: 30,
  }),
  softBounceLimit: Type.Integer({
    group,
    reloadable: true,
    description:
      "After so many soft bounces within `email.softBounceDays` an address gets no more mails; 0: never.",
    expected: "a whole number from 0 to 1000",
    default: 5,
    minimum: 0,
    maximum: 1000,
  }),
  softBounceDays: Type.Integer({
    group,
    reloadable: true,
    description: "Days that soft bounces are counted for.",
    expected: "a whole number from 1 to 90",
    default: 7,
    minimum: 1,
    maximum: 90,
  }),
};
