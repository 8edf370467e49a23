/** `carillon templates …` */

import { readFile } from "node:fs/promises";
import type {
  JsonObject,
  NewStoredTemplate,
  StoredTemplateSummary,
  TemplateChannel,
  TemplateObject,
} from "@carillon/client";
import { Command, InvalidArgumentError, Option } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { CommandFailure } from "../command-failure.ts";
import { addYes, type ConfirmOptions, confirm } from "../confirm.ts";
import { isJsonObject } from "../json-object.ts";
import { orNoSuch, type Word } from "../lookup.ts";
import { type Column, createOutput } from "../output.ts";
import { withServer } from "../server.ts";
import { shortTime } from "../table.ts";
import {
  readTemplateFiles,
  templateChannels,
  writeTemplateFile,
} from "../template-files.ts";
import { type SyncedTemplate, syncTemplates } from "../template-sync.ts";
import { textFrom } from "../text-argument.ts";

const word: Word = { noun: "templates", word: "template" };

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

const syncColumns: readonly Column<SyncedTemplate>[] = [
  { head: "template", cell: (one) => `${one.channel}/${one.slug}` },
  { head: "action", cell: (one) => one.action },
];

export function templatesCommand(): Command {
  return new Command("templates")
    .description(
      "Manage templates, written in Liquid, of texts (sms/<slug>) and mails (email/<slug>).",
    )
    .addCommand(list())
    .addCommand(show())
    .addCommand(create())
    .addCommand(update())
    .addCommand(remove())
    .addCommand(preview())
    .addCommand(disallow())
    .addCommand(allow())
    .addCommand(sync())
    .addCommand(dump());
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
    const { channel, slug } = parseReference(reference);
    const found = await withServer(options, ({ carillon }) =>
      orNoSuch(word, reference, carillon.templates.get(channel, slug)),
    );
    createOutput(options).record(found, fields);
  });
}

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

function create(): Command {
  return withMembers(
    clientCommand(
      "create <template> [body]",
      "Create a template, or replace the one of that name. Without a body, or with -, it is read from standard input.",
      [
        'carillon templates create sms/code "Your code is {{ code }}"',
        'carillon templates create email/hi --subject "Hi {{ name }}" < hi.html',
      ],
    ),
  ).action(
    async (
      reference: string,
      words: string | undefined,
      options: MemberOptions,
    ) => {
      const { channel, slug } = parseReference(reference);
      const body = await textFrom(
        words,
        "carillon templates create <template>",
      );
      const put = await withServer(options, ({ carillon }) =>
        carillon.templates.put(channel, slug, { ...membersOf(options), body }),
      );
      createOutput(options).result(`Template ${reference} is kept.`, put);
    },
  );
}

function update(): Command {
  return withMembers(
    clientCommand(
      "update <template> [body]",
      "Change what is given of a template; with - the body is read from standard input.",
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
      const { channel, slug } = parseReference(reference);
      const body =
        words === undefined
          ? undefined
          : await textFrom(words, "carillon templates update <template>");
      const changed = await withServer(options, ({ carillon }) =>
        orNoSuch(
          word,
          reference,
          carillon.templates.update(channel, slug, {
            ...membersOf(options),
            ...(body !== undefined && { body }),
          }),
        ),
      );
      createOutput(options).result(
        `Template ${reference} is changed.`,
        changed,
      );
    },
  );
}

function remove(): Command {
  return addYes(
    clientCommand("delete <template>", "Delete a template.", [
      "carillon templates delete sms/code",
    ]),
  ).action(
    async (reference: string, options: ClientOptions & ConfirmOptions) => {
      const { channel, slug } = parseReference(reference);
      await withServer(options, async ({ carillon }) => {
        await orNoSuch(word, reference, carillon.templates.get(channel, slug));
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

interface PreviewOptions extends ClientOptions {
  readonly values?: JsonObject;
  readonly valuesFile?: string;
}

function preview(): Command {
  return clientCommand(
    "preview <template>",
    "Show what a template makes, and how a text would be sent. No message is made.",
    [
      `carillon templates preview sms/code --values '{"code":"271828"}'`,
      "carillon templates preview email/welcome --values-file welcome.json",
    ],
  )
    .addOption(
      new Option("--values <json>", "JSON object that it is rendered with")
        .argParser(parseObject)
        .conflicts("valuesFile"),
    )
    .option("--values-file <file>", "the same, from a file")
    .action(
      async (
        reference: string,
        { values, valuesFile, ...options }: PreviewOptions,
      ) => {
        const { channel, slug } = parseReference(reference);
        const given =
          valuesFile === undefined
            ? values
            : parseObject(await readFile(valuesFile, "utf8"));
        const made = await withServer(options, ({ carillon }) =>
          orNoSuch(
            word,
            reference,
            carillon.templates.preview(channel, slug, given),
          ),
        );
        const { sms } = made;
        createOutput(options).lines(
          [
            ...(made.subject === undefined ? [] : [made.subject, ""]),
            made.text ?? made.html ?? "",
            ...(isJsonObject(sms)
              ? [
                  "",
                  `${sms.encoding}, ${sms.characters} characters, ${sms.segments} ${sms.segments === 1 ? "segment" : "segments"}`,
                ]
              : []),
          ],
          made,
        );
      },
    );
}

function disallow(): Command {
  return clientCommand(
    "disallow <template> <objects...>",
    "Keep a template from being sent about objects such as order=4711; sms or email in its place means all of them.",
    [
      "carillon templates disallow sms/reminder order=4711",
      "carillon templates disallow email customer=7",
    ],
  ).action(
    async (
      reference: string,
      words: readonly string[],
      options: ClientOptions,
    ) => {
      const scope = parseScope(reference);
      const objects = words.map(parseRelated);
      await withServer(options, ({ carillon }) =>
        orNoSuch(word, reference, carillon.templates.disallow(scope, objects)),
      );
      createOutput(options).result(
        `${reference} is not sent about ${words.join(", ")} any more.`,
        { ...scope, objects },
      );
    },
  );
}

function allow(): Command {
  return clientCommand(
    "allow <template> <objects...>",
    "Let a template be sent about objects again.",
    ["carillon templates allow sms/reminder order=4711"],
  ).action(
    async (
      reference: string,
      words: readonly string[],
      options: ClientOptions,
    ) => {
      const scope = parseScope(reference);
      const objects = words.map(parseRelated);
      await withServer(options, async ({ carillon }) => {
        for (const object of objects) {
          await orNoSuch(
            word,
            reference,
            carillon.templates.allow(scope, object),
          );
        }
      });
      createOutput(options).result(
        `${reference} may be sent about ${words.join(", ")} again.`,
        { ...scope, objects },
      );
    },
  );
}

interface SyncOptions extends ClientOptions {
  readonly delete?: boolean;
  readonly dryRun?: boolean;
}

function sync(): Command {
  return clientCommand(
    "sync <folder>",
    "Bring templates to what a folder has: <channel>/<slug>.html or .txt, with the other members in a .json beside it; or <slug>.html of mails. A mistake in one file changes nothing.",
    [
      "carillon templates sync templates --dry-run",
      "carillon templates sync templates --delete",
    ],
  )
    .option("--delete", "delete what the folder does not have")
    .option("--dry-run", "say what would be done")
    .action(async (folder: string, options: SyncOptions) => {
      const files = await readTemplateFiles(folder);
      const done = await withServer(options, ({ carillon }) =>
        syncTemplates(carillon.templates, files, {
          delete: options.delete ?? false,
          dryRun: options.dryRun ?? false,
        }),
      );
      createOutput(options).rows(
        done,
        syncColumns,
        `There are no templates in ${folder}.`,
      );
    });
}

function dump(): Command {
  return clientCommand(
    "dump <folder>",
    "Write all templates into a folder, as carillon templates sync reads them.",
    ["carillon templates dump templates"],
  ).action(async (folder: string, options: ClientOptions) => {
    const written = await withServer(options, async ({ carillon }) => {
      let count = 0;
      for await (const { channel, slug } of carillon.templates.list()) {
        await writeTemplateFile(
          folder,
          await carillon.templates.get(channelOf(channel), slug),
        );
        count++;
      }
      return count;
    });
    createOutput(options).result(`${written} templates are in ${folder}.`, {
      folder,
      templates: written,
    });
  });
}

/** @throws CommandFailure */
function parseReference(text: string): {
  readonly channel: TemplateChannel;
  readonly slug: string;
} {
  const [, name, slug] = /^([a-z]+)\/([\w-]{1,100})$/.exec(text) ?? [];
  const channel = templateChannels.find((it) => it === name);
  if (channel !== undefined && slug !== undefined) return { channel, slug };
  throw new CommandFailure(
    `There is no template "${text}": sms/<slug> or email/<slug> is expected; carillon templates list shows those there are.`,
    2,
  );
}

function parseScope(text: string) {
  const channel = templateChannels.find((it) => it === text);
  return channel === undefined ? parseReference(text) : { channel };
}

function channelOf(name: string): TemplateChannel {
  return name === "sms" ? "sms" : "email";
}

/** @throws CommandFailure */
function parseRelated(text: string): TemplateObject {
  const [, type, id] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (type !== undefined && id !== undefined) return { type, id };
  throw new CommandFailure(
    `Expected an object such as order=4711, got "${text}".`,
    2,
  );
}

function parseYesNo(text: string): boolean {
  if (text === "yes" || text === "no") return text === "yes";
  throw new InvalidArgumentError("yes or no is expected.");
}

function parseObject(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    if (isJsonObject(value)) return value;
  } catch {
    // Said below.
  }
  throw new InvalidArgumentError("a JSON object is expected.");
}

function yesOrNo(value: boolean): string {
  return value ? "yes" : "no";
}
