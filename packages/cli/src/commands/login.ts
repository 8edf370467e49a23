/** `carillon login`: keeps the keys of a server for the commands that follow. */

import { text } from "node:stream/consumers";
import {
  type AccessKeyWithSecret,
  AuthenticationError,
  connect,
  ForbiddenError,
} from "@carillon/client";
import type { Command } from "commander";
import { printingCommand } from "../client-options.ts";
import { CommandFailure } from "../command-failure.ts";
import { checkUrl } from "../connection.ts";
import {
  type Context,
  type Contexts,
  changeContexts,
  checkContextName,
  readContexts,
} from "../contexts.ts";
import { toFailure } from "../failure-sentence.ts";
import { createOutput, type OutputOptions } from "../output.ts";
import { ask, hasTerminal } from "../prompt.ts";
import { refuseOptions } from "../refuse-options.ts";
import { talkTo } from "../server.ts";
import { stopSignal } from "../stop-signal.ts";

interface LoginOptions extends OutputOptions {
  readonly name?: string;
  readonly accessKey?: string;
  readonly user?: string;
  readonly domain: string;
  readonly project: string;
  readonly secretStdin?: boolean;
}

export function loginCommand(): Command {
  return printingCommand(
    "login <url>",
    "Keep the keys of a server, checked, for all commands that follow. Asks for an access key and its secret; with --user for a password, by which a key of its own is created for this machine (for administrators: others get a key from them). The keys are written to carillon/contexts.json in $XDG_CONFIG_HOME or ~/.config, which only you can read.",
    [
      "carillon login https://notify.example.com",
      "carillon login https://notify.example.com --user ann --project shop",
      "carillon login http://127.0.0.1:7070 --access-key AK3V9QZT… --secret-stdin",
    ],
  )
    .option("--name <name>", "what to call it; the URL's host by default")
    .option("--access-key <key>", "the access key; asked for by default")
    .option("--user <user>", "log in with this user's password")
    .option("--domain <domain>", "the user's domain", "default")
    .option("--project <project>", "the project to act in", "default")
    .option(
      "--secret-stdin",
      "read the secret or the password from stdin, not from the terminal",
    )
    .action(
      async (address: string, options: LoginOptions, command: Command) => {
        if (options.user === undefined) {
          refuseOptions(command, ["domain", "project"], "for --user");
        }
        const url = checkUrl(address);
        const name = checkContextName(options.name ?? defaultName(url));
        // Read first: a file that cannot be read is no reason to make a key.
        await readContexts(process.env);
        const context =
          options.user === undefined
            ? await withKey(url, options)
            : await withPassword(url, options.user, options);
        let before: Contexts;
        try {
          before = await changeContexts(process.env, ({ contexts }) => ({
            current: name,
            contexts: { ...contexts, [name]: context },
          }));
        } catch (error) {
          if (context.ownsKey) await deleteOwnKey(context);
          throw error;
        }
        const { accessKey, projectId, userName } = context;
        const left = await deleteReplaced(before.contexts[name], context);
        createOutput(options).result(
          `Logged in to ${url} as ${userName}, with the access key ${accessKey}; commands go there from now on (context ${name}).`,
          { name, url, userName, accessKey, projectId },
        );
        if (left) throw left;
      },
    );
}

/** The URL's host and port; of an IPv6 address without its brackets. */
function defaultName(url: string): string {
  return new URL(url).host.replace(/[[\]]/g, "");
}

/**
 * A key that an earlier log-in made goes with the context it was for.
 *
 * @returns why it is left on its server
 */
async function deleteReplaced(
  replaced: Context | undefined,
  { accessKey }: Context,
): Promise<CommandFailure | undefined> {
  if (!replaced?.ownsKey || replaced.accessKey === accessKey) return undefined;
  try {
    await deleteOwnKey(replaced);
    return undefined;
  } catch (cause) {
    if (!(cause instanceof CommandFailure)) throw cause;
    return new CommandFailure(
      `The access key ${replaced.accessKey} of the log-in before is left on the server: ${cause.message}`,
      1,
      { cause },
    );
  }
}

/** Deletes the key that a log-in made. */
export async function deleteOwnKey(context: Context): Promise<void> {
  const { accessKey } = context;
  await talkTo(
    { ...context, from: `the key ${accessKey}`, because: "it deletes itself" },
    ({ carillon }) => carillon.accessKeys.delete(accessKey),
  );
}

async function withKey(url: string, options: LoginOptions): Promise<Context> {
  const accessKey = options.accessKey ?? (await askFor("Access key: "));
  if (accessKey === "") {
    throw new CommandFailure("Expected an access key.", 2);
  }
  const secretKey = await readSecret("Secret key: ", options);
  const { projectId, userName } = await talkTo(
    { url, accessKey, secretKey, from: accessKey, because: "it was typed" },
    ({ carillon }) => carillon.whoami(),
  );
  if (projectId === undefined) {
    throw new CommandFailure(`${accessKey} is a key for no project.`);
  }
  return { url, accessKey, secretKey, projectId, userName, ownsKey: false };
}

async function withPassword(
  url: string,
  user: string,
  options: LoginOptions,
): Promise<Context> {
  const { domain, project, accessKey } = options;
  if (accessKey !== undefined) {
    throw new CommandFailure(
      "Expected --user or --access-key, not both: with --user a key is created.",
      2,
    );
  }
  const password = await readSecret("Password: ", options);
  // From here on: Ctrl-C leaves no key without an owner on the server.
  const stop = stopSignal();
  const key = await createKey(
    { url, user, domain, project, password },
    `user ${user} of the domain ${domain} in the project ${project}`,
    stop,
  );
  const context: Context = {
    url,
    accessKey: key.accessKey,
    secretKey: key.secretKey,
    projectId: key.projectId,
    userName: user,
    ownsKey: true,
  };
  if (!stop.aborted) return context;
  await deleteOwnKey(context);
  throw stop.reason;
}

async function createKey(
  {
    url,
    ...login
  }: {
    readonly url: string;
    readonly user: string;
    readonly domain: string;
    readonly project: string;
    readonly password: string;
  },
  who: string,
  signal: AbortSignal,
): Promise<AccessKeyWithSecret> {
  try {
    const { carillon } = connect({
      endpoint: url,
      // Said, so that the keys stay with the URL that was given: a catalogue
      // may name another.
      authUrl: `${url}/v3`,
      ...login,
      timeoutMs: 30_000,
      retry: { maxRetries: 0 },
    });
    const { userId, projectId } = await carillon.whoami({ signal });
    return await carillon.accessKeys.create({ userId, projectId });
  } catch (error) {
    if (error instanceof ForbiddenError) {
      throw new CommandFailure(
        `${login.user} may not create access keys, which administrators may: have one make a key with carillon key create ${login.user}, and log in with that.`,
        1,
        { cause: error },
      );
    }
    if (error instanceof AuthenticationError) {
      throw new CommandFailure(
        `${url} does not let in ${who}: one of these or the password is wrong, or the user may not act there.`,
        1,
        { cause: error },
      );
    }
    throw toFailure(error, url, who);
  }
}

/** Not from the command line, which everybody on the machine can read. */
async function readSecret(
  question: string,
  { secretStdin }: LoginOptions,
): Promise<string> {
  const secret = secretStdin
    ? (await text(process.stdin)).replace(/\r?\n$/, "")
    : await askFor(question, { hidden: true });
  if (secret !== "") return secret;
  throw new CommandFailure("Expected a secret or password, got nothing.", 2);
}

async function askFor(
  question: string,
  options?: { readonly hidden: boolean },
): Promise<string> {
  if (hasTerminal()) return (await ask(question, undefined, options)).trim();
  throw new CommandFailure(
    "There is no terminal to ask on: give --access-key or --user, and the secret with --secret-stdin.",
    2,
  );
}
