/** What `email` of the configuration may hold. */

import {
  problemWithMailSender,
  smtpTlsModes,
} from "@carillon/channels/email-settings";
import { mailLimits } from "@carillon/core";
import { batchSettings } from "./batch-settings.ts";
import { Type } from "./json-schema.ts";
import {
  MailBackendSetting,
  problemsWithMailBackends,
} from "./mail-backends/mail-backend-settings.ts";
import { mailReportSettings } from "./mail-reports/mail-report-settings.ts";
import { mailTemplateSettings } from "./templates/mail-template-settings.ts";

const common = { group: "E-mail", reloadable: true } as const;

const { attachmentBytes, mostAttachmentBytes } = mailLimits;

const filePath = { expected: "the path of a file", pattern: "^[^\\0]+$" };

/** The section `email`. */
export const emailSettings = Type.Object({
  ...mailTemplateSettings,
  ...mailReportSettings,
  backend: Type.Union([Type.Literal("smtp"), Type.Literal("debug")], {
    ...common,
    description:
      "What becomes of mails: `smtp` sends them through `smtpUrl`, `debug` sends none, so that each delivery ends in `debug`.",
    expected: "one of smtp, debug",
    default: "smtp",
  }),
  backends: Type.Array(MailBackendSetting, {
    ...common,
    description:
      'Further ways to send mails, which a send names as its `backend`, or `email.router` does: `{"type": "smtp", "name": "bulk", "smtpUrl": …}` is a mail server, `{"type": "module", "name": "mandrill", "module": "./mandrill.mjs", "settings": {…}}` a module of your own, `{"type": "debug", "name": …}` sends nothing. That of `email.backend` is called `default`; where it has no mail server the first one here is the default. See the guide on e-mail.',
    expected: "a list of objects with type and name",
    default: [],
    problem: problemsWithMailBackends,
  }),
  router: Type.Optional(
    Type.String({
      ...common,
      description:
        "Module whose default export is asked for each mail that names no backend: a function of recipient and mail that answers the name of one, or nothing, which is the default. A relative path starts as that of `data` does.",
      expected: "the path of a module",
      example: "./my-mail-router.mjs",
      pattern: "^[^\\0]+$",
    }),
  ),
  senders: Type.Array(Type.String(), {
    ...common,
    description:
      "Addresses that messages may name as their sender besides `mailFrom`, or domains, of which every address may be; those of other domains below it are not meant. Receivers reject mails of domains whose SPF and DKIM do not know this mail server.",
    expected:
      "addresses such as billing@example.com or domains such as example.com, separated by commas",
    default: [],
    example: ["example.com"],
    uniqueItems: true,
    problem: (value: unknown) =>
      Array.isArray(value)
        ? value.flatMap((entry) => problemWithMailSender(String(entry)) ?? [])
        : undefined,
  }),
  tls: Type.Optional(
    Type.Union(
      smtpTlsModes.map((mode) => Type.Literal(mode)),
      {
        ...common,
        description:
          "How the connection to the mail server is secured: `implicit` is TLS from the first byte (port 465), `required` is STARTTLS or no mail, `opportunistic` is STARTTLS where the server offers it, `off` is never. If unset, `implicit` for smtps:// and `opportunistic` for smtp://, unless options of `smtpUrl` say otherwise.",
        expected: `one of ${smtpTlsModes.join(", ")}`,
        example: "required",
      },
    ),
  ),
  tlsCaFile: Type.Optional(
    Type.String({
      ...common,
      ...filePath,
      description:
        "File of certificates (PEM) that the mail server's is verified by, in place of the system's. Read at the start and at each reload. A relative path starts as that of `data` does.",
      example: "/etc/carillon/mail-ca.pem",
    }),
  ),
  tlsServername: Type.Optional(
    Type.String({
      ...common,
      description:
        "Name that the mail server's certificate has to have. The host of `smtpUrl` if unset.",
      expected: "a host name",
      example: "mail.example.com",
      pattern: "^[A-Za-z0-9.-]{1,253}$",
    }),
  ),
  connections: Type.Integer({
    ...common,
    description: "Connections to the mail server at once.",
    expected: "a whole number from 1 to 100",
    default: 5,
    minimum: 1,
    maximum: 100,
  }),
  mailsPerSecond: Type.Optional(
    Type.Integer({
      ...common,
      description:
        "Mails that are handed over in a second, at most. No bound if unset.",
      expected: "a whole number from 1 to 10000",
      example: 14,
      minimum: 1,
      maximum: 10_000,
    }),
  ),
  maxAttachmentBytes: Type.Integer({
    ...common,
    description:
      "Bytes that the files of a mail may have, all together; on the way they take a third more. The default stays below the 10 MB that many mail servers take.",
    expected: `a whole number of bytes from 0 (no files) to ${mostAttachmentBytes}`,
    default: attachmentBytes,
    minimum: 0,
    maximum: mostAttachmentBytes,
  }),
  dkim: Type.Object({
    domain: Type.Optional(
      Type.String({
        ...common,
        description:
          "Domain that mails are signed for (DKIM): that of the senders, or one above it. Mails are not signed if unset; see the guide on e-mail.",
        expected: "a domain such as example.com",
        example: "example.com",
        pattern: "^[A-Za-z0-9-]{1,63}(\\.[A-Za-z0-9-]{1,63})+$",
      }),
    ),
    selector: Type.Optional(
      Type.String({
        ...common,
        description:
          "Name of the key of `email.dkim`: its public part is the TXT record `<selector>._domainkey.<domain>`.",
        expected: "letters, digits, '-' and dots",
        example: "carillon1",
        pattern: "^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$",
      }),
    ),
    keyFile: Type.Optional(
      Type.String({
        ...common,
        ...filePath,
        description:
          "File of the RSA private key (PEM) that mails are signed with. Read at the start and at each reload. A relative path starts as that of `data` does.",
        example: "/run/secrets/dkim.pem",
      }),
    ),
    key: Type.Optional(
      Type.String({
        ...common,
        withoutFlag: true,
        secret: true,
        description:
          "The same key as text, in place of a file; line breaks may be written as \\n.",
        expected: "an RSA private key in PEM",
      }),
    ),
  }),
  batch: batchSettings("email", "E-mail"),
});
