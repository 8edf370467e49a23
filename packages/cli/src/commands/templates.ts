/** `carillon templates …` */

import type { StoredTemplateSummary, TemplateChannel } from "@carillon/client";
import { Command, Option } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { orNoSuch } from "../lookup.ts";
import { type Column, createOutput } from "../output.ts";
import { withServer } from "../server.ts";
import { shortTime } from "../table.ts";
import { templateChannels } from "../template-files.ts";
import {
  parseTemplateReference,
  templateWord,
  toTemplateRecord,
} from "../template-reference.ts";
import {
  dumpTemplatesCommand,
  syncTemplatesCommand,
} from "./templates-folder.ts";
import {
  allowObjectsCommand,
  disallowObjectsCommand,
} from "./templates-objects.ts";
import { previewTemplateCommand } from "./templates-preview.ts";
import {
  createTemplateCommand,
  deleteTemplateCommand,
  updateTemplateCommand,
} from "./templates-write.ts";

const columns: readonly Column<StoredTemplateSummary>[] = [
  { head: "template", cell: (one) => `${one.channel}/${one.slug}` },
  { head: "active", cell: (one) => yesOrNo(one.isActive) },
  { head: "locked", cell: (one) => yesOrNo(one.isLocked) },
  { head: "subject", cell: (one) => one.subject ?? "", max: 40 },
  { head: "changed", cell: (one) => shortTime(one.changedAt) },
];

const fields: readonly Column<
  StoredTemplateSummary & { readonly body: string }
>[] = [
  ...columns,
  { head: "duplicates", cell: (one) => yesOrNo(one.allowsDuplicates) },
  { head: "strict", cell: (one) => yesOrNo(one.isStrict) },
  { head: "sender", cell: (one) => one.sender ?? "" },
  { head: "sender name", cell: (one) => one.senderName ?? "" },
  { head: "body", cell: (one) => one.body, wraps: true },
];

export function templatesCommand(): Command {
  return new Command("templates")
    .description(
      "Manage templates, written in Liquid, of texts (sms/<slug>) and mails (email/<slug>).",
    )
    .addCommand(list())
    .addCommand(show())
    .addCommand(createTemplateCommand())
    .addCommand(updateTemplateCommand())
    .addCommand(deleteTemplateCommand())
    .addCommand(previewTemplateCommand())
    .addCommand(disallowObjectsCommand())
    .addCommand(allowObjectsCommand())
    .addCommand(syncTemplatesCommand())
    .addCommand(dumpTemplatesCommand());
}

interface ChannelOptions extends ClientOptions {
  readonly channel?: TemplateChannel;
}

function list(): Command {
  return clientCommand("list", "List the project's templates.", [
    "carillon templates list",
    "carillon templates list --channel sms",
  ])
    .addOption(
      new Option("--channel <channel>", "only those of it").choices(
        templateChannels,
      ),
    )
    .action(async ({ channel, ...options }: ChannelOptions) => {
      const found = await withServer(options, ({ carillon }) =>
        Array.fromAsync(carillon.templates.list({ channel })),
      );
      createOutput(options).rows(
        found,
        columns,
        "There are no templates: create one with carillon templates create.",
      );
    });
}

function show(): Command {
  return clientCommand("show <template>", "Show one template.", [
    "carillon templates show sms/welcome",
  ]).action(async (reference: string, options: ClientOptions) => {
    const { channel, slug } = parseTemplateReference(reference);
    const found = await withServer(options, ({ carillon }) =>
      orNoSuch(templateWord, reference, carillon.templates.get(channel, slug)),
    );
    createOutput(options).record(toTemplateRecord(found), fields);
  });
}

function yesOrNo(value: boolean): string {
  return value ? "yes" : "no";
}
