/**
 * Finds the server and the keys, both from one place: what options name, then
 * the environment, then the context that was chosen, then the
 * `credentials.json` that a server left in `./carillon-data`.
 */

import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { JsonObject } from "@carillon/client";
import { CommandFailure } from "./command-failure.ts";
import { getContext, readContexts } from "./contexts.ts";
import { isJsonObject } from "./json-object.ts";

/** A server, and the keys it is asked with. */
export interface Connection {
  /** Without a slash at its end. */
  readonly url: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Absent when only keys were given; the server knows. */
  readonly projectId?: string;
  /** Where the keys are from, for sentences. */
  readonly from: string;
  /** Why they are from there. */
  readonly because: string;
}

/** What the command line says about the server. */
export interface ConnectionOptions {
  readonly url?: string;
  readonly data?: string;
  readonly context?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Keys that were found, with the server they are of. */
interface Found extends Omit<Connection, "accessKey" | "secretKey"> {
  /** Absent when it was deleted. */
  readonly accessKey?: string;
  /** Absent while the access key is disabled, too. */
  readonly secretKey?: string;
  /** Whether they may be sent to another server than their own. */
  readonly mayLeave: (url: string) => boolean;
}

/** @throws CommandFailure when server or keys cannot be found */
export async function findConnection(
  options: ConnectionOptions,
  env: Environment,
): Promise<Connection> {
  await checkNames(env);
  if (options.data !== undefined && options.context !== undefined) {
    throw new CommandFailure(
      "Expected --data or --context, not both: each names a server and its keys.",
      2,
    );
  }
  const named = await findNamed(options, env);
  if (named) {
    const url = checkUrl(options.url ?? named.url);
    return toConnection(named, url);
  }
  const givenUrl = options.url ?? (env.CARILLON_URL || undefined);
  const url = givenUrl === undefined ? undefined : checkUrl(givenUrl);
  const given = keysFrom(env);
  if (given) {
    if (url === undefined) {
      throw new CommandFailure(
        "Where is the server? Set CARILLON_URL or use --url.",
        2,
      );
    }
    return {
      url,
      ...given,
      from: "CARILLON_ACCESS_KEY",
      because: "the environment has keys",
    };
  }
  const candidates = await findUnnamed(env, url);
  const [first] = candidates;
  if (first === undefined) {
    throw new CommandFailure(
      `No credentials in ${dataFolder(options, env)}: log in with carillon login, run this where the data folder of a server that has run is, name the folder with --data, or set CARILLON_URL, CARILLON_ACCESS_KEY and CARILLON_SECRET_KEY; carillon recover makes a new key of a folder whose keys are lost.`,
    );
  }
  if (url === undefined) return toConnection(first, first.url);
  const fitting = candidates.find(
    (found) => isSameOrigin(url, found.url) || found.mayLeave(url),
  );
  if (fitting) return toConnection(fitting, url);
  throw new CommandFailure(
    `The keys in ${first.from} belong to ${first.url}, not to ${url}: log in with carillon login ${url}, set CARILLON_ACCESS_KEY and CARILLON_SECRET_KEY, or confirm by naming them with --data or --context.`,
  );
}

/** What `--data` or `--context` name. */
async function findNamed(
  { data, context }: ConnectionOptions,
  env: Environment,
): Promise<Found | undefined> {
  if (context !== undefined) {
    return {
      ...toFound(getContext(await readContexts(env), context)),
      because: "--context names it",
    };
  }
  if (data === undefined) return undefined;
  const folder = resolve(data);
  const file = await readCredentials(folder);
  if (file) return { ...file, because: "--data names it" };
  throw new CommandFailure(
    `No credentials in ${folder}: name the data folder of a server that has run with --data, or set CARILLON_URL, CARILLON_ACCESS_KEY and CARILLON_SECRET_KEY; if its keys are lost, stop the server and make one with carillon recover --data ${folder}.`,
  );
}

/**
 * The places that are looked at unless one is named, the first one first. A
 * folder that happens to be here is not read where a chosen context serves.
 */
async function findUnnamed(
  env: Environment,
  url: string | undefined,
): Promise<readonly Found[]> {
  const found: Found[] = [];
  if (!env.CARILLON_DATA) {
    const contexts = await readContexts(env);
    if (contexts.current !== undefined) {
      const context = getContext(contexts, contexts.current);
      found.push({
        ...toFound(context),
        because: "carillon login or carillon context use chose it",
      });
      if (url === undefined || isSameOrigin(url, context.url)) return found;
    }
  }
  const file = await readCredentials(dataFolder({}, env));
  if (file) {
    found.push({
      ...file,
      because: env.CARILLON_DATA
        ? "CARILLON_DATA names it"
        : "nothing else is named or chosen, and the folder is here",
    });
  }
  return found;
}

function toFound(
  context: Omit<Connection, "from" | "because"> & { readonly name: string },
): Omit<Found, "because"> {
  const { url, accessKey, secretKey, projectId } = context;
  return {
    url,
    accessKey,
    secretKey,
    ...(projectId !== undefined && { projectId }),
    from: `context ${context.name}`,
    mayLeave: () => false,
  };
}

/** @throws CommandFailure when its key was deleted or disabled */
function toConnection(found: Found, url: string): Connection {
  const { mayLeave: _, accessKey, secretKey, ...rest } = found;
  if (accessKey !== undefined && secretKey !== undefined) {
    return { ...rest, accessKey, secretKey, url };
  }
  throw new CommandFailure(
    `${
      accessKey === undefined
        ? `The access key of ${found.from} was deleted`
        : `The access key ${accessKey} of ${found.from} is disabled`
    }: set CARILLON_ACCESS_KEY and CARILLON_SECRET_KEY to another one, or stop the server and make one with carillon recover --data ${dirname(found.from)}.`,
  );
}

/** @returns it without slashes at its end */
export function checkUrl(url: string): string {
  if (/^https?:\/\/[^/]/.test(url) && URL.canParse(url)) {
    return url.replace(/\/+$/, "");
  }
  throw new CommandFailure(
    `Expected a URL that starts with http:// or https://, got "${url}".`,
    2,
  );
}

/** What clients read. */
const ownVariables = [
  "CARILLON_URL",
  "CARILLON_DATA",
  "CARILLON_ACCESS_KEY",
  "CARILLON_SECRET_KEY",
  "CARILLON_PROJECT_ID",
];

/** @throws CommandFailure that names misspelt variables, as `serve` does */
async function checkNames(env: Environment): Promise<void> {
  const others = Object.entries(env).filter(
    ([name]) => name.startsWith("CARILLON_") && !ownVariables.includes(name),
  );
  // All names there are come with the server's schema, which takes a while.
  if (others.length === 0) return;
  const { findMisspeltVariables } = await import(
    "@carillon/server/config-variables"
  );
  const misspelt = findMisspeltVariables(env);
  if (misspelt.length === 0) return;
  const lines = misspelt.map(
    ({ name, meant }) =>
      `${name}: there is no such variable; did you mean ${meant}?`,
  );
  throw new CommandFailure(lines.join("\n"), 2);
}

/**
 * The keys of the environment, all from there: with half of them from the file
 * somebody else would act.
 *
 * @throws CommandFailure when some are set and others are missing
 */
function keysFrom(
  env: Environment,
): Omit<Connection, "url" | "from" | "because"> | undefined {
  const accessKey = env.CARILLON_ACCESS_KEY;
  const secretKey = env.CARILLON_SECRET_KEY;
  const projectId = env.CARILLON_PROJECT_ID;
  if (accessKey && secretKey) {
    return { accessKey, secretKey, ...(projectId && { projectId }) };
  }
  if (!accessKey && !secretKey && !projectId) return undefined;
  const pair = ["CARILLON_ACCESS_KEY", "CARILLON_SECRET_KEY"];
  const missing = pair.filter((name) => !env[name]);
  const set = [...pair, "CARILLON_PROJECT_ID"].filter((name) => env[name]);
  const list = (names: readonly string[]) =>
    `${names.join(" and ")} ${names.length > 1 ? "are" : "is"}`;
  throw new CommandFailure(
    `${list(missing)} missing, while ${list(set)} set: set both keys, or none of these to use those of credentials.json.`,
    2,
  );
}

/** The data folder: option, environment, or `./carillon-data`. */
export function dataFolder(
  options: ConnectionOptions,
  env: Environment,
): string {
  return resolve(options.data ?? (env.CARILLON_DATA || "carillon-data"));
}

/** The file of the secret key: option or environment; the folder's by default. */
export function secretKeyFile(
  options: { readonly secretKeyFile?: string },
  env: Environment,
): string | undefined {
  const path = options.secretKeyFile ?? env.CARILLON_SECRET_KEY_FILE;
  return path ? resolve(path) : undefined;
}

function isSameOrigin(url: string, other: string): boolean {
  return new URL(url).origin === new URL(other).origin;
}

function isThisMachine(url: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(url).hostname);
}

async function readCredentials(
  folder: string,
): Promise<Omit<Found, "because"> | undefined> {
  const path = join(folder, "credentials.json");
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new CommandFailure(
      code === "EACCES"
        ? `${path} belongs to another user: run this as that user, or set CARILLON_ACCESS_KEY and CARILLON_SECRET_KEY.`
        : `${path} cannot be read: ${(cause as Error).message}`,
      1,
      { cause },
    );
  }
  const file: JsonObject = isJsonObject(content) ? content : {};
  const project: JsonObject = isJsonObject(file.project) ? file.project : {};
  const { url, publicUrl, accessKey, secretKey } = file;
  const projectId = project.id;
  // Written by a program that embeds the service: no server has run there yet.
  if (url === "") return undefined;
  if (
    typeof url === "string" &&
    URL.canParse(url) &&
    typeof projectId === "string"
  ) {
    return {
      url: url.replace(/\/+$/, ""),
      projectId,
      ...(typeof accessKey === "string" && { accessKey }),
      ...(typeof secretKey === "string" && { secretKey }),
      from: path,
      // The keys in a file are sent to the server that wrote it and to this
      // machine, and elsewhere only when the file was named on purpose.
      mayLeave: (other) =>
        isThisMachine(other) ||
        (typeof publicUrl === "string" &&
          URL.canParse(publicUrl) &&
          isSameOrigin(other, publicUrl)),
    };
  }
  throw new CommandFailure(
    `${path} does not hold url and project; restore it, or set CARILLON_URL, CARILLON_ACCESS_KEY and CARILLON_SECRET_KEY.`,
  );
}
