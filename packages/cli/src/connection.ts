/**
 * Finds the server and the keys: options, then the environment, then the
 * `credentials.json` that a server on this machine left in its data folder.
 */

import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { JsonObject } from "@carillon/client";
import { CommandFailure } from "./command-failure.ts";
import { isJsonObject } from "./json-object.ts";

/** A server, and the keys it is asked with. */
export interface Connection {
  /** Without a slash at its end. */
  readonly url: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Absent when only keys were given; the server knows. */
  readonly projectId?: string;
}

/** What the command line says about the server. */
export interface ConnectionOptions {
  readonly url?: string;
  readonly data?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws CommandFailure when server or keys cannot be found */
export async function findConnection(
  options: ConnectionOptions,
  env: Environment,
): Promise<Connection> {
  await checkNames(env);
  const folder = dataFolder(options, env);
  const file = await readCredentials(folder);
  const givenUrl = options.url ?? (env.CARILLON_URL || undefined);
  const url = (givenUrl ?? file?.url)?.replace(/\/+$/, "");
  if (url !== undefined && !/^https?:\/\/[^/]/.test(url)) {
    throw new CommandFailure(
      `Expected a URL that starts with http:// or https://, got "${url}".`,
      2,
    );
  }
  const given = keysFrom(env);
  if (given) {
    if (url === undefined) {
      throw new CommandFailure(
        "Where is the server? Set CARILLON_URL or use --url.",
        2,
      );
    }
    return { url, ...given };
  }
  if (url === undefined || file === undefined) {
    throw new CommandFailure(
      `No credentials in ${folder}: run this where the server's data folder is, name the folder with --data, or set CARILLON_URL, CARILLON_ACCESS_KEY and CARILLON_SECRET_KEY.`,
    );
  }
  if (!mayHaveKeys(url, file.url, options)) {
    throw new CommandFailure(
      `The keys in ${folder} belong to ${file.url}, not to ${url}: set CARILLON_ACCESS_KEY and CARILLON_SECRET_KEY, or confirm with --data ${folder}.`,
    );
  }
  return { ...file, url };
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
function keysFrom(env: Environment): Omit<Connection, "url"> | undefined {
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

/**
 * The keys in a file are sent to the server that wrote it and to this
 * machine, and elsewhere only when the file was named on purpose.
 */
function mayHaveKeys(
  url: string,
  ownUrl: string,
  options: ConnectionOptions,
): boolean {
  const host = new URL(url).hostname;
  return (
    options.data !== undefined ||
    new URL(url).origin === new URL(ownUrl).origin ||
    /^(localhost|127(\.\d+){3}|\[::1\])$/.test(host)
  );
}

async function readCredentials(
  folder: string,
): Promise<(Connection & { readonly projectId: string }) | undefined> {
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
  const { url, accessKey, secretKey } = file;
  const projectId = project.id;
  if (
    typeof url === "string" &&
    URL.canParse(url) &&
    typeof accessKey === "string" &&
    typeof secretKey === "string" &&
    typeof projectId === "string"
  ) {
    return { url: url.replace(/\/+$/, ""), accessKey, secretKey, projectId };
  }
  throw new CommandFailure(
    `${path} does not hold url, project, accessKey and secretKey; restore it, or set CARILLON_URL, CARILLON_ACCESS_KEY and CARILLON_SECRET_KEY.`,
  );
}
