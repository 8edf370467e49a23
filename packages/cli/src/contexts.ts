/**
 * The servers that `carillon login` was to, each with its keys, in
 * `$XDG_CONFIG_HOME/carillon/contexts.json`, which only its owner can read.
 */

import {
  chmod,
  mkdir,
  open,
  readFile,
  rename,
  rm,
  stat,
} from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { CommandFailure } from "./command-failure.ts";
import { isJsonObject } from "./json-object.ts";

/** A server, and the key pair it is asked with. */
export interface Context {
  /** Without a slash at its end. */
  readonly url: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly projectId: string;
  readonly userName: string;
  /** True when the log-in made the key: logging out deletes it. */
  readonly ownsKey: boolean;
}

export interface Contexts {
  /** The one that is used unless another is named. */
  readonly current?: string | undefined;
  readonly contexts: Readonly<Record<string, Context>>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** A name is one word, as commands take it, and no option. */
const namePattern = /^[A-Za-z0-9:][A-Za-z0-9._:-]{0,63}$/;

/** Where contexts are kept. */
export function contextsPath(env: Environment): string {
  const folder = env.XDG_CONFIG_HOME || join(env.HOME || homedir(), ".config");
  return join(folder, "carillon", "contexts.json");
}

/** @throws CommandFailure when it is no name for a context */
export function checkContextName(name: string): string {
  if (namePattern.test(name)) return name;
  throw new CommandFailure(
    `Expected a name of up to 64 letters, digits and . _ : - that does not begin with . _ or -, got "${name}".`,
    2,
  );
}

/**
 * All contexts; none where there is no file.
 *
 * @throws CommandFailure when the file cannot be read
 */
export async function readContexts(env: Environment): Promise<Contexts> {
  const path = contextsPath(env);
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return { contexts: {} };
    throw new CommandFailure(
      `${path} cannot be read (${code ?? "it is no JSON"}): mend or delete it, then log in anew with carillon login.`,
      1,
      { cause },
    );
  }
  const { current, contexts } = isJsonObject(content) ? content : {};
  if (!isJsonObject(contexts)) throw notContexts(path);
  const entries = Object.entries(contexts).map(([name, context]) => {
    if (!isContext(context)) throw notContexts(path);
    return [name, context] as const;
  });
  return {
    current: typeof current === "string" ? current : undefined,
    contexts: Object.fromEntries(entries),
  };
}

/** How long a change waits for another command's, and when that is given up. */
const lockWaitMs = 5000;
const lockAgeMs = 10_000;

/**
 * Changes the contexts; commands that do so at once do it one after the other.
 *
 * @returns what there was before
 * @throws CommandFailure when the file cannot be read or written, or `change`
 * does; then it is as it was
 */
export async function changeContexts(
  env: Environment,
  change: (contexts: Contexts) => Contexts,
): Promise<Contexts> {
  const path = contextsPath(env);
  const lock = `${path}.lock`;
  await takeLock(lock, path);
  try {
    const before = await readContexts(env);
    await writeContexts(env, change(before));
    return before;
  } finally {
    await rm(lock, { force: true });
  }
}

/** @throws CommandFailure when another command has it for too long */
async function takeLock(lock: string, path: string): Promise<void> {
  const deadline = Date.now() + lockWaitMs;
  await mkdir(dirname(lock), { recursive: true, mode: 0o700 }).catch(
    notWritten(path),
  );
  for (;;) {
    try {
      return await (await open(lock, "wx", 0o600)).close();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "EEXIST") return notWritten(path)(error);
    }
    const { mtimeMs } = await stat(lock).catch(() => ({ mtimeMs: Date.now() }));
    // A command was killed while it had it.
    if (Date.now() - mtimeMs > lockAgeMs) await rm(lock, { force: true });
    else if (Date.now() > deadline) {
      throw new CommandFailure(
        `Another command changes the contexts: try again, or delete ${lock} if there is none.`,
      );
    } else await setTimeout(20);
  }
}

function notWritten(path: string) {
  return (cause: unknown): never => {
    throw new CommandFailure(
      `${path} cannot be written (${(cause as NodeJS.ErrnoException).code}): make room for it, or name another folder in XDG_CONFIG_HOME.`,
      1,
      { cause },
    );
  };
}

/**
 * Replaces the file as a whole: a reader sees it as it was or as it is.
 *
 * @throws CommandFailure when it cannot be written; then it is as it was
 */
export async function writeContexts(
  env: Environment,
  contexts: Contexts,
): Promise<void> {
  const path = contextsPath(env);
  const draft = `${path}.${process.pid}`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(draft, "w", 0o600);
    try {
      // The umask does not narrow a draft that was left there.
      await chmod(draft, 0o600);
      await file.writeFile(`${JSON.stringify(contexts, undefined, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => {});
    notWritten(path)(cause);
  }
}

/** @throws CommandFailure when there is none of that name */
export function getContext(
  { contexts }: Contexts,
  name: string,
): Context & { readonly name: string } {
  const context = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (context) return { ...context, name };
  throw new CommandFailure(
    `There is no context "${name}": carillon context list shows those there are, and carillon login makes one.`,
  );
}

/** Forgets one; when it was the chosen one, none is chosen any more. */
export async function removeContext(
  env: Environment,
  name: string,
): Promise<void> {
  await changeContexts(env, ({ contexts, current }) => {
    const { [name]: _, ...others } = contexts;
    return {
      current: current === name ? undefined : current,
      contexts: others,
    };
  });
}

function isContext(value: unknown): value is Context {
  if (!isJsonObject(value)) return false;
  const { url, accessKey, secretKey, projectId, userName, ownsKey } = value;
  return (
    typeof url === "string" &&
    URL.canParse(url) &&
    [accessKey, secretKey, projectId, userName].every(
      (text) => typeof text === "string",
    ) &&
    typeof ownsKey === "boolean"
  );
}

function notContexts(path: string): CommandFailure {
  return new CommandFailure(
    `${path} does not hold contexts as carillon login writes them: delete it, then log in anew.`,
  );
}
