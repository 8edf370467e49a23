/** `carillon emails send` */

import type { EmailOptions } from "@carillon/client";
import type { Command } from "commander";
import {
  collectInline,
  type InlineFile,
  readAttachments,
} from "../attachment-files.ts";
import { clientCommand } from "../client-options.ts";
import { CommandFailure } from "../command-failure.ts";
import { textArgument } from "../file-argument.ts";
import { addCommonOptions } from "../message-options.ts";
import { refuseOptions } from "../refuse-options.ts";
import { withServer } from "../server.ts";
import { emailKind } from "../stored-kind.ts";
import {
  addStoredOptions,
  type StoredSendOptions,
  storedSettingsOf,
  tellSent,
  templateOf,
} from "../stored-sending.ts";

interface SendOptions extends StoredSendOptions {
  readonly subject?: string;
  readonly text?: string;
  readonly html?: string;
  readonly attach?: readonly string[];
  readonly inline?: readonly InlineFile[];
  readonly from?: string;
  readonly fromName?: string;
  readonly replyTo?: string;
  readonly unsubscribeUrl?: string;
}

export function sendEmailCommand(): Command {
  const command = clientCommand(
    "send <address>",
    "Send a mail to one address: with --text, --html, or both, or with --template.",
    [
      'carillon emails send ada@example.org --subject "Disk" --text "It is full"',
      "carillon emails send a@b.example --html @a.html --inline l=l.png",
      "carillon emails send a@b.example --template hello --template-context @a.json",
    ],
  )
    .option("--subject <text>", "one line")
    .option(
      "--text <text>",
      "the plain-text part; - for standard input, or @ and a file that has it",
    )
    .option(
      "--html <html>",
      "the HTML part; - for standard input, or @ and a file that has it",
    )
    .option(
      "--attach <file>",
      "a file that it carries; may be repeated",
      (path: string, before: readonly string[] = []) => [...before, path],
    )
    .option(
      "--inline <cid=file>",
      "an image that the HTML shows as cid:…; may be repeated",
      collectInline,
    )
    .option("--from <address>", "the sender's address")
    .option("--from-name <name>", "is shown beside it")
    .option("--reply-to <address>", "where answers go")
    .option("--unsubscribe-url <url>", "where one POST ends the subscription");
  return addCommonOptions(addStoredOptions(command)).action(
    async (to: string, options: SendOptions, command: Command) => {
      const template = templateOf(options);
      if (template) {
        refuseOptions(
          command,
          ["subject", "text", "html"],
          "for mails without --template",
        );
      }
      const { idempotencyKey } = options;
      const settings = {
        ...storedSettingsOf(options),
        to,
        email: emailOptionsOf(options),
        attachments: await readAttachments(options.attach, options.inline),
      };
      const content = template ?? (await contentOf(options));
      const sending = await withServer(options, async ({ carillon }) =>
        "slug" in content
          ? await carillon.emails.trySendTemplate(
              { ...settings, ...content },
              { idempotencyKey },
            )
          : {
              message: await carillon.emails.send(
                { ...settings, ...content },
                { idempotencyKey },
              ),
            },
      );
      tellSent(sending, emailKind, options);
    },
  );
}

/** @throws CommandFailure */
async function contentOf({ subject, text, html }: SendOptions) {
  if (text === undefined && html === undefined) {
    throw new CommandFailure(
      "Expected --text, --html or --template: what the mail says.",
      2,
    );
  }
  return {
    subject,
    text: text === undefined ? undefined : await textArgument("--text", text),
    html: html === undefined ? undefined : await textArgument("--html", html),
  };
}

/** `undefined` where none was given. */
function emailOptionsOf(options: SendOptions): EmailOptions | undefined {
  const { from, fromName, replyTo, unsubscribeUrl } = options;
  const given = {
    ...(from !== undefined && { from }),
    ...(fromName !== undefined && { senderName: fromName }),
    ...(replyTo !== undefined && { replyTo }),
    ...(unsubscribeUrl !== undefined && { unsubscribeUrl }),
  };
  return Object.keys(given).length > 0 ? given : undefined;
}
