/** `carillon templates create`, `update` and `delete` */

import type { NewStoredTemplate } from "@carillon/client";
import { type Command, InvalidArgumentError } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { addYes, type ConfirmOptions, confirm } from "../confirm.ts";
import { orNoSuch } from "../lookup.ts";
import { createOutput } from "../output.ts";
import { withServer } from "../server.ts";
import {
  parseTemplateReference,
  templateWord,
  toTemplateRecord,
} from "../template-reference.ts";
import { textFrom } from "../text-argument.ts";

interface MemberOptions extends ClientOptions {
  readonly subject?: string;
  readonly sender?: string;
  readonly senderName?: string;
  readonly html?: boolean;
  readonly active?: boolean;
  readonly locked?: boolean;
  readonly duplicates?: boolean;
  readonly strict?: boolean;
}

function withMembers(command: Command): Command {
  return command
    .option("--subject <subject>", "of mails; Liquid")
    .option("--sender <address>", "mail address of the sender")
    .option("--sender-name <name>", "shown beside the sender of mails")
    .option("--html <yes|no>", "whether the body of a mail is HTML", parseYesNo)
    .option("--active <yes|no>", "what is not active is not sent", parseYesNo)
    .option("--locked <yes|no>", "tells people to leave it alone", parseYesNo)
    .option(
      "--duplicates <yes|no>",
      "no: sent once about the same related objects",
      parseYesNo,
    )
    .option(
      "--strict <yes|no>",
      "whether a missing variable is an error",
      parseYesNo,
    );
}

function membersOf({
  subject,
  sender,
  senderName,
  html,
  active,
  locked,
  duplicates,
  strict,
}: MemberOptions): Omit<NewStoredTemplate, "body"> {
  return {
    subject,
    sender,
    senderName,
    isHtml: html,
    isActive: active,
    isLocked: locked,
    allowsDuplicates: duplicates,
    isStrict: strict,
  };
}

export function createTemplateCommand(): Command {
  return withMembers(
    clientCommand(
      "create <template> [body]",
      "Create a template, or replace the one of that name. Without a body, or for -, it is read from standard input; for @ and a path, from that file.",
      [
        'carillon templates create sms/code "Your code is {{ code }}"',
        'carillon templates create email/hi @hi.html --subject "Hi {{ name }}"',
      ],
    ),
  ).action(
    async (
      reference: string,
      words: string | undefined,
      options: MemberOptions,
    ) => {
      const { channel, slug } = parseTemplateReference(reference);
      const body = await textFrom(
        words,
        "carillon templates create <template>",
      );
      const put = await withServer(options, ({ carillon }) =>
        carillon.templates.put(channel, slug, { ...membersOf(options), body }),
      );
      createOutput(options).result(
        `Template ${reference} is kept.`,
        toTemplateRecord(put),
      );
    },
  );
}

export function updateTemplateCommand(): Command {
  return withMembers(
    clientCommand(
      "update <template> [body]",
      "Change what is given of a template; for - the body is read from standard input, for @ and a path, from that file.",
      [
        'carillon templates update sms/code "{{ code }} is your code"',
        "carillon templates update email/welcome --active no",
      ],
    ),
  ).action(
    async (
      reference: string,
      words: string | undefined,
      options: MemberOptions,
    ) => {
      const { channel, slug } = parseTemplateReference(reference);
      const body =
        words === undefined
          ? undefined
          : await textFrom(words, "carillon templates update <template>");
      const changed = await withServer(options, ({ carillon }) =>
        orNoSuch(
          templateWord,
          reference,
          carillon.templates.update(channel, slug, {
            ...membersOf(options),
            ...(body !== undefined && { body }),
          }),
        ),
      );
      createOutput(options).result(
        `Template ${reference} is changed.`,
        toTemplateRecord(changed),
      );
    },
  );
}

export function deleteTemplateCommand(): Command {
  return addYes(
    clientCommand("delete <template>", "Delete a template.", [
      "carillon templates delete sms/code",
    ]),
  ).action(
    async (reference: string, options: ClientOptions & ConfirmOptions) => {
      const { channel, slug } = parseTemplateReference(reference);
      await withServer(options, async ({ carillon }) => {
        await orNoSuch(
          templateWord,
          reference,
          carillon.templates.get(channel, slug),
        );
        await confirm(`Delete the template ${reference}?`, options);
        await carillon.templates.delete(channel, slug);
      });
      createOutput(options).result(`Template ${reference} is deleted.`, {
        channel,
        slug,
        deleted: true,
      });
    },
  );
}

function parseYesNo(text: string): boolean {
  if (text === "yes" || text === "no") return text === "yes";
  throw new InvalidArgumentError("yes or no is expected.");
}
