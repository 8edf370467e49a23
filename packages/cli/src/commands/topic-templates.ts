/** `carillon topic-templates …`: message templates of SMN. */

import type { Smn, Template, TemplateDetail } from "@carillon/client";
import { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { addYes, type ConfirmOptions, confirm } from "../confirm.ts";
import { chooseOne, type Naming } from "../lookup.ts";
import { type Column, createOutput } from "../output.ts";
import { withServer } from "../server.ts";
import { shortTime } from "../table.ts";
import { textFrom } from "../text-argument.ts";

/** What is printed as JSON: named as SMN names it. */
type TemplateRecord = ReturnType<typeof toRecord>;

const naming: Naming<Template> = {
  noun: "topic-templates",
  word: "template",
  idOf: ({ messageTemplateId }) => messageTemplateId,
  nameOf: ({ messageTemplateName }) => messageTemplateName,
};

const columns: readonly Column<TemplateRecord>[] = [
  { head: "name", cell: (one) => one.message_template_name },
  { head: "protocol", cell: (one) => one.protocol },
  { head: "tags", cell: (one) => one.tag_names.join(", "), max: 40 },
  { head: "updated", cell: (one) => shortTime(one.update_time) },
  { head: "id", cell: (one) => one.message_template_id, isId: true },
];

const fields: readonly Column<TemplateRecord & { readonly content: string }>[] =
  [...columns, { head: "content", cell: (one) => one.content, wraps: true }];

export function topicTemplatesCommand(): Command {
  return new Command("topic-templates")
    .description(
      "Create, list, show, update and delete message templates: texts with {tags} that publishing fills in, a variant per protocol under one name. A template is given by its name, with --protocol where it has several variants, by its id or the start of its id.",
    )
    .addCommand(create())
    .addCommand(list())
    .addCommand(show())
    .addCommand(update())
    .addCommand(remove());
}

interface VariantOptions extends ClientOptions {
  readonly protocol?: string;
}

function create(): Command {
  return withProtocol(
    clientCommand(
      "create <name> [text]",
      "Create a template. Without text, or for -, it is read from standard input; for @ and a path, from that file.",
      [
        'carillon topic-templates create disk "The disk of {host} is full"',
        "carillon topic-templates create disk --protocol email < mail.txt",
      ],
    ),
  ).action(
    async (
      name: string,
      words: string | undefined,
      options: VariantOptions,
    ) => {
      const content = await textFrom(
        words,
        "carillon topic-templates create <name>",
      );
      const created = await withServer(options, ({ smn }) =>
        smn.createTemplate({
          messageTemplateName: name,
          content,
          protocol: options.protocol,
        }),
      );
      createOutput(options).result(
        `Template ${name} has the id ${created.messageTemplateId}.`,
        {
          request_id: created.requestId,
          message_template_id: created.messageTemplateId,
        },
      );
    },
  );
}

function list(): Command {
  return clientCommand("list", "List the project's templates, oldest first.", [
    "carillon topic-templates list",
  ]).action(async (options: ClientOptions) => {
    const templates = await withServer(options, ({ smn }) =>
      Array.fromAsync(smn.templates()),
    );
    createOutput(options).rows(
      templates.map(toRecord),
      columns,
      "There are no templates: create one with carillon topic-templates create.",
    );
  });
}

function show(): Command {
  return withProtocol(
    clientCommand("show <template>", "Show one template with its text.", [
      "carillon topic-templates show disk",
      "carillon topic-templates show disk --protocol email",
    ]),
  ).action(async (template: string, options: VariantOptions) => {
    const found = await withServer(options, async ({ smn }) =>
      smn.getTemplate(await findTemplate(smn, template, options)),
    );
    createOutput(options).record(toDetailRecord(found), fields);
  });
}

function update(): Command {
  return withProtocol(
    clientCommand(
      "update <template> [text]",
      "Change a template's text; what was published before is not changed. Without text, or for -, it is read from standard input; for @ and a path, from that file.",
      [
        'carillon topic-templates update disk "The disk of {host} is full again"',
      ],
    ),
  ).action(
    async (
      template: string,
      words: string | undefined,
      options: VariantOptions,
    ) => {
      const content = await textFrom(
        words,
        "carillon topic-templates update <template>",
      );
      const updated = await withServer(options, async ({ smn }) =>
        smn.updateTemplate(await findTemplate(smn, template, options), {
          content,
        }),
      );
      createOutput(options).result(`Template ${template} has another text.`, {
        request_id: updated.requestId,
        message_template_id: updated.messageTemplateId,
      });
    },
  );
}

function remove(): Command {
  return addYes(
    withProtocol(
      clientCommand("delete <template>", "Delete a template.", [
        "carillon topic-templates delete disk",
        "carillon topic-templates delete disk --protocol email --yes",
      ]),
    ),
  ).action(
    async (template: string, options: VariantOptions & ConfirmOptions) => {
      await withServer(options, async ({ smn }) => {
        const found = await findTemplate(smn, template, options);
        const { messageTemplateName: name, protocol } = found;
        await confirm(
          `Delete the template ${name} for the protocol ${protocol}?`,
          options,
        );
        await smn.deleteTemplate(found, { ignoreMissing: false });
      });
      createOutput(options).result(`Template ${template} is deleted.`, {
        template,
        deleted: true,
      });
    },
  );
}

function withProtocol(command: Command): Command {
  return command.option(
    "--protocol <protocol>",
    "which variant: default, or a protocol such as http, https, email or sms",
  );
}

/** @throws CommandFailure when there is none, or it may be several */
async function findTemplate(
  smn: Smn,
  reference: string,
  { protocol }: VariantOptions,
): Promise<Template> {
  const all = await Array.fromAsync(smn.templates({ protocol }));
  return chooseOne(all, naming, reference);
}

function toRecord(template: Template) {
  return {
    message_template_id: template.messageTemplateId,
    message_template_name: template.messageTemplateName,
    protocol: template.protocol,
    tag_names: template.tagNames,
    create_time: template.createTime,
    update_time: template.updateTime,
  };
}

function toDetailRecord(template: TemplateDetail) {
  return { ...toRecord(template), content: template.content };
}
