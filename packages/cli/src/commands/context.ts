/** `carillon context …`: the servers that `carillon login` was to. */

import { Command } from "commander";
import {
  type ClientOptions,
  clientCommand,
  printingCommand,
} from "../client-options.ts";
import { addYes, type ConfirmOptions, confirm } from "../confirm.ts";
import { type Connection, findConnection } from "../connection.ts";
import {
  type Context,
  changeContexts,
  getContext,
  readContexts,
  removeContext,
} from "../contexts.ts";
import { type Column, createOutput, type OutputOptions } from "../output.ts";

/** What is shown of a context: not its secret. */
interface ContextRecord {
  readonly name: string;
  readonly current: boolean;
  readonly url: string;
  readonly userName: string;
  readonly accessKey: string;
  readonly projectId: string;
}

const columns: readonly Column<ContextRecord>[] = [
  { head: "", cell: ({ current }) => (current ? "*" : "") },
  { head: "name", cell: ({ name }) => name },
  { head: "user", cell: ({ userName }) => userName },
  { head: "access key", cell: ({ accessKey }) => accessKey },
  { head: "URL", cell: ({ url }) => url, max: 60 },
];

type UsedConnection = Omit<Connection, "secretKey">;

const usedFields: readonly Column<UsedConnection>[] = [
  { head: "URL", cell: ({ url }) => url },
  { head: "access key", cell: ({ accessKey }) => accessKey },
  { head: "project", cell: ({ projectId = "" }) => projectId },
  { head: "keys from", cell: ({ from }) => from },
  { head: "because", cell: ({ because }) => because },
];

export function contextCommand(): Command {
  return new Command("context")
    .description(
      "List, choose, show and delete the servers that carillon login was to. Which server and keys a command uses: what --data or --context name; else the environment (CARILLON_ACCESS_KEY and CARILLON_SECRET_KEY, or CARILLON_DATA); else the chosen context; else ./carillon-data. --url, or without one of those flags CARILLON_URL, replaces the server only where its keys may go.",
    )
    .addCommand(list())
    .addCommand(use())
    .addCommand(show())
    .addCommand(remove());
}

function list(): Command {
  return printingCommand("list", "List all contexts; * marks the chosen one.", [
    "carillon context list",
  ]).action(async (options: OutputOptions) => {
    const { contexts, current } = await readContexts(process.env);
    createOutput(options).rows(
      Object.entries(contexts).map(([name, context]) =>
        toRecord(name, context, name === current),
      ),
      columns,
      "There are no contexts: make one with carillon login <url>.",
    );
  });
}

function use(): Command {
  return printingCommand("use <context>", "Choose the context of commands.", [
    "carillon context use notify.example.com",
  ]).action(async (name: string, options: OutputOptions) => {
    const contexts = await changeContexts(process.env, (known) => {
      getContext(known, name);
      return { ...known, current: name };
    });
    const context = getContext(contexts, name);
    createOutput(options).result(
      `Commands go to ${context.url} from now on.`,
      toRecord(name, context, true),
    );
  });
}

function show(): Command {
  return clientCommand(
    "show",
    "Show which server and keys a command with these options and this environment uses, and why. The secret is not shown.",
    [
      "carillon context show",
      "carillon context show --context notify.example.com",
    ],
  ).action(async (options: ClientOptions) => {
    const { secretKey: _, ...used } = await findConnection(
      options,
      process.env,
    );
    createOutput(options).record(used, usedFields);
  });
}

function remove(): Command {
  return addYes(
    printingCommand(
      "delete <context>",
      "Forget a context with its keys; a key that the log-in created stays on the server, unlike after carillon logout.",
      ["carillon context delete notify.example.com"],
    ),
  ).action(async (name: string, options: OutputOptions & ConfirmOptions) => {
    const context = getContext(await readContexts(process.env), name);
    await confirm(
      `Delete context ${name} and the secret of its access key ${context.accessKey}?`,
      options,
    );
    await removeContext(process.env, name);
    createOutput(options).result(`Context ${name} is deleted.`, {
      context: name,
      deleted: true,
    });
  });
}

function toRecord(
  name: string,
  { url, userName, accessKey, projectId }: Context,
  current: boolean,
): ContextRecord {
  return { name, current, url, userName, accessKey, projectId };
}
