/** `carillon publisher publish` */

import type { Publication } from "@carillon/client";
import type { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { CommandFailure } from "../command-failure.ts";
import { orNoSuch } from "../lookup.ts";
import {
  addCommonOptions,
  type CommonOptions,
  commonSettingsOf,
} from "../message-options.ts";
import { createOutput } from "../output.ts";
import { publisherWord } from "../pull-accounts.ts";
import { withServer } from "../server.ts";
import { textFrom } from "../text-argument.ts";

interface PublishOptions extends ClientOptions, CommonOptions {
  readonly category?: readonly string[];
  readonly subject?: string;
  readonly orderingKey?: string;
}

export function publishToCategoriesCommand(): Command {
  const command = clientCommand(
    "publish <publisher> [text]",
    "Publish a message to a publisher's subscribers, and wait until it is in their mailboxes. Without text, or for -, it is read from standard input; for @ and a path, from that file. The exit code is 1 when it reached nobody. The keys are the project's: a disabled publisher's own credentials publish nothing, but this does.",
    [
      'carillon publisher publish weather "Good morning"',
      'carillon publisher publish weather "Stay inside" --category storm',
    ],
  )
    .option(
      "--category <category>",
      "to those who follow it; may be given again: each gets it once; by default to all",
      (category: string, before: readonly string[] = []) => [
        ...before,
        category,
      ],
    )
    .option("--subject <text>", "subject of e-mails and webhooks")
    .option(
      "--ordering-key <key>",
      "the next message of this key is fetched when this one is confirmed",
    );
  return addCommonOptions(command).action(
    async (
      publisher: string,
      words: string | undefined,
      options: PublishOptions,
    ) => {
      const { category, subject, orderingKey, idempotencyKey } = options;
      const message = await textFrom(
        words,
        `carillon publisher publish ${publisher}`,
      );
      const publication = await withServer(options, ({ carillon }) =>
        orNoSuch(
          publisherWord,
          publisher,
          carillon.publishers.publish(
            publisher,
            {
              ...commonSettingsOf(options),
              message,
              categories: category,
              subject,
              orderingKey,
            },
            { idempotencyKey },
          ),
        ),
      );
      createOutput(options).result(countsText(publication), publication);
      const { total, passed } = publication;
      if (total === undefined || passed !== 0) return;
      throw new CommandFailure(nobodyText(publisher, publication));
    },
  );
}

/** Such as `2 of 3 subscribers have it; 1 mailbox is full or disabled.` */
function countsText({ passed, failed, total }: Publication): string {
  if (total === undefined) {
    return "It is accepted, and delayed: how many subscribers get it is not known yet.";
  }
  const noun = total === 1 ? "subscriber has" : "subscribers have";
  const others =
    failed === 0
      ? ""
      : `; ${failed} ${failed === 1 ? "mailbox is" : "mailboxes are"} full or disabled`;
  return `${passed} of ${total} ${noun} it${others}.`;
}

function nobodyText(publisher: string, { total }: Publication): string {
  return total === 0
    ? `Nobody follows this: carillon publisher category list ${publisher} shows the categories, carillon subscriber follow adds a follower.`
    : "It is in no mailbox: carillon subscriber list shows which are full or disabled, carillon subscriber set <subscriber> --quota raises what one holds.";
}
