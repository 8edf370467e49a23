/** What the commands for users, projects, domains and keys have in common. */

import { type Answer, listOf, textOf } from "./answer.ts";
import { type ClientOptions, clientCommand } from "./client-options.ts";
import { CommandFailure } from "./command-failure.ts";
import { findConnection } from "./connection.ts";
import { createHttpClient, type HttpClient } from "./http-client.ts";
import { createOutput } from "./output.ts";

/** A kind of thing that administrators manage. */
export interface Kind {
  /** As in `carillon user`. */
  readonly noun: string;
  /** As in `/api/v2/users`, and the field of its list. */
  readonly path: string;
  readonly field: string;
  /** Fields by which one is found. */
  readonly references: readonly string[];
}

export const userKind: Kind = {
  noun: "user",
  path: "users",
  field: "users",
  references: ["id", "name"],
};

export const projectKind: Kind = {
  noun: "project",
  path: "projects",
  field: "projects",
  references: ["id", "name"],
};

export const domainKind: Kind = {
  noun: "domain",
  path: "domains",
  field: "domains",
  references: ["id", "name"],
};

export const keyKind: Kind = {
  noun: "key",
  path: "access-keys",
  field: "accessKeys",
  references: ["accessKey"],
};

export async function connectHttp(options: ClientOptions): Promise<HttpClient> {
  return createHttpClient(await findConnection(options, process.env));
}

export async function listAll(
  http: HttpClient,
  { path, field }: Kind,
): Promise<readonly Answer[]> {
  return listOf(await http.request("GET", `/api/v2/${path}`), field);
}

/**
 * One by its id or its name.
 *
 * @throws CommandFailure when there is none, or several have the name
 */
export async function findOne(
  http: HttpClient,
  kind: Kind,
  reference: string,
): Promise<Answer> {
  const all = await listAll(http, kind);
  for (const field of kind.references) {
    const [one, ...others] = all.filter((it) => it[field] === reference);
    if (one && others.length === 0) return one;
    if (one) {
      throw new CommandFailure(
        `Several domains have a ${kind.noun} "${reference}": give its id; carillon ${kind.noun} list shows it.`,
      );
    }
  }
  throw new CommandFailure(
    `There is no ${kind.noun} "${reference}": carillon ${kind.noun} list shows those there are.`,
  );
}

/** The path of one by its id or its name. */
export async function pathOfOne(
  http: HttpClient,
  kind: Kind,
  reference: string,
): Promise<string> {
  const one = await findOne(http, kind, reference);
  const id = textOf(one, kind.references[0] ?? "id");
  return `/api/v2/${kind.path}/${encodeURIComponent(id)}`;
}

/** `carillon <kind> disable|enable <one>` */
export function switchCommand(kind: Kind, enabled: boolean, about: string) {
  const verb = enabled ? "enable" : "disable";
  return clientCommand(`${verb} <${kind.noun}>`, about, [
    `carillon ${kind.noun} ${verb} ${exampleOf(kind)}`,
  ]).action(async (reference: string, options: ClientOptions) => {
    const http = await connectHttp(options);
    const path = await pathOfOne(http, kind, reference);
    const answer = await http.request("PATCH", path, { enabled });
    createOutput(options).result(
      `${capital(kind.noun)} ${reference} is ${verb}d.`,
      answer,
    );
  });
}

/** `carillon <kind> delete <one>` */
export function deleteCommand(kind: Kind, about: string) {
  return clientCommand(`delete <${kind.noun}>`, about, [
    `carillon ${kind.noun} delete ${exampleOf(kind)}`,
  ]).action(async (reference: string, options: ClientOptions) => {
    const http = await connectHttp(options);
    const path = await pathOfOne(http, kind, reference);
    await http.request("DELETE", path);
    createOutput(options).result(
      `${capital(kind.noun)} ${reference} is deleted.`,
      { [kind.noun]: reference, deleted: true },
    );
  });
}

function exampleOf({ noun }: Kind): string {
  const examples: Readonly<Record<string, string>> = {
    user: "ann",
    project: "shop",
    domain: "acme",
    key: "AK3V9QZTM1X8PL5RNE7W",
  };
  return examples[noun] ?? `<${noun}>`;
}

function capital(noun: string): string {
  return `${noun.charAt(0).toUpperCase()}${noun.slice(1)}`;
}

/** For a column: whether it works. */
export function stateOf(record: Answer): string {
  return record.enabled === false ? "disabled" : "enabled";
}
