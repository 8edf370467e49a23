/** What the commands for users, projects, domains and keys have in common. */

import type {
  AccessKey,
  Carillon,
  Domain,
  Project,
  Resources,
  Switch,
  User,
} from "@carillon/client";
import { type ClientOptions, clientCommand } from "./client-options.ts";
import { CommandFailure } from "./command-failure.ts";
import { type Column, createOutput } from "./output.ts";
import { withServer } from "./server.ts";

/** A kind of thing that administrators and operators manage. */
export interface Kind<Resource> {
  /** As in `carillon user`. */
  readonly noun: string;
  /** For the help. */
  readonly example: string;
  readonly resources: (carillon: Carillon) => Resources<Resource, Switch>;
  readonly idOf: (resource: Resource) => string;
  /** Absent for what has no name. */
  readonly nameOf?: (resource: Resource) => string;
  /** Absent for what is in no domain. */
  readonly domainIdOf?: (resource: Resource) => string;
}

export const userKind: Kind<User> = {
  noun: "user",
  example: "ann",
  resources: ({ users }) => users,
  idOf: ({ id }) => id,
  nameOf: ({ name }) => name,
  domainIdOf: ({ domainId }) => domainId,
};

export const projectKind: Kind<Project> = {
  noun: "project",
  example: "shop",
  resources: ({ projects }) => projects,
  idOf: ({ id }) => id,
  nameOf: ({ name }) => name,
  domainIdOf: ({ domainId }) => domainId,
};

export const domainKind: Kind<Domain> = {
  noun: "domain",
  example: "acme",
  resources: ({ domains }) => domains,
  idOf: ({ id }) => id,
  nameOf: ({ name }) => name,
};

export const keyKind: Kind<AccessKey> = {
  noun: "key",
  example: "AK3V9QZTM1X8PL5RNE7W",
  resources: ({ accessKeys }) => accessKeys,
  idOf: ({ accessKey }) => accessKey,
};

/**
 * The one given by its id or its name.
 *
 * @param domainId where a name is looked for; by default in all domains
 * @throws CommandFailure when there is none, or several have the name
 */
export async function findOne<Resource>(
  carillon: Carillon,
  { noun, resources, idOf, nameOf, domainIdOf }: Kind<Resource>,
  reference: string,
  domainId?: string,
): Promise<Resource> {
  const all = await resources(carillon).list();
  const withId = all.find((it) => idOf(it) === reference);
  if (withId) return withId;
  const [one, ...others] = all.filter(
    (it) =>
      nameOf?.(it) === reference &&
      (domainId === undefined || domainIdOf?.(it) === domainId),
  );
  if (one && others.length === 0) return one;
  throw new CommandFailure(
    one
      ? `Several domains have a ${noun} "${reference}": give its id; carillon ${noun} list shows it.`
      : `There is no ${noun} "${reference}"${domainId === undefined ? "" : ` in the domain ${domainId}`}: carillon ${noun} list shows those there are.`,
  );
}

/** The id of the one that {@link findOne} finds. */
export async function findId<Resource>(
  carillon: Carillon,
  kind: Kind<Resource>,
  reference: string,
  domainId?: string,
): Promise<string> {
  return kind.idOf(await findOne(carillon, kind, reference, domainId));
}

/** As {@link findId}; of a deleted user, whose name is gone, the id as it is. */
export async function findUserId(
  carillon: Carillon,
  reference: string,
): Promise<string> {
  const users = await userKind.resources(carillon).list();
  const mayBeDeleted =
    /^[0-9a-f]{32}$/.test(reference) &&
    !users.some(({ name }) => name === reference);
  return mayBeDeleted ? reference : findId(carillon, userKind, reference);
}

/** `carillon <kind> list` */
export function listCommand<Resource>(
  { noun, resources }: Kind<Resource>,
  columns: readonly Column<Resource>[],
  texts: {
    readonly about: string;
    readonly whenNone: string;
    /** Besides the plain one. */
    readonly examples?: readonly string[];
  },
) {
  return clientCommand("list", texts.about, [
    `carillon ${noun} list`,
    ...(texts.examples ?? []),
  ]).action(async (options: ClientOptions) => {
    const all = await withServer(options, ({ carillon }) =>
      resources(carillon).list(),
    );
    createOutput(options).rows(all, columns, texts.whenNone);
  });
}

/** `carillon <kind> disable|enable <one>` */
export function switchCommand<Resource>(
  kind: Kind<Resource>,
  enabled: boolean,
  about: string,
) {
  const verb = enabled ? "enable" : "disable";
  return clientCommand(`${verb} <${kind.noun}>`, about, [
    `carillon ${kind.noun} ${verb} ${kind.example}`,
  ]).action(async (reference: string, options: ClientOptions) => {
    const changed = await withServer(options, async ({ carillon }) => {
      const id = await findId(carillon, kind, reference);
      return await kind.resources(carillon).change(id, { enabled });
    });
    createOutput(options).result(
      `${capital(kind.noun)} ${reference} is ${verb}d.`,
      changed,
    );
  });
}

/** `carillon <kind> delete <one>` */
export function deleteCommand<Resource>(kind: Kind<Resource>, about: string) {
  return clientCommand(`delete <${kind.noun}>`, about, [
    `carillon ${kind.noun} delete ${kind.example}`,
  ]).action(async (reference: string, options: ClientOptions) => {
    await withServer(options, async ({ carillon }) => {
      const id = await findId(carillon, kind, reference);
      await kind.resources(carillon).delete(id, { ignoreMissing: false });
    });
    createOutput(options).result(
      `${capital(kind.noun)} ${reference} is deleted.`,
      { [kind.noun]: reference, deleted: true },
    );
  });
}

function capital(noun: string): string {
  return `${noun.charAt(0).toUpperCase()}${noun.slice(1)}`;
}

/** For a column: whether it works. */
export function stateOf({ enabled }: Switch): string {
  return enabled ? "enabled" : "disabled";
}
