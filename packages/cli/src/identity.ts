/** What the commands for users, projects, domains and keys have in common. */

import type {
  AccessKey,
  Caller,
  Carillon,
  Domain,
  Project,
  Resources,
  Switch,
  User,
} from "@carillon/client";
import { type ClientOptions, clientCommand } from "./client-options.ts";
import { addYes, type ConfirmOptions, confirm } from "./confirm.ts";
import { chooseOne, type Naming } from "./lookup.ts";
import { type Column, createOutput } from "./output.ts";
import { type Server, withServer } from "./server.ts";
import { shortTime } from "./table.ts";

/** A kind of thing that administrators and operators manage. */
export interface Kind<Resource> extends Naming<Resource> {
  /** For the help. */
  readonly example: string;
  readonly resources: (carillon: Carillon) => Resources<Resource, Switch>;
  /** Absent for what is in no domain. */
  readonly domainIdOf?: (resource: Resource) => string;
  /** What stands in it as ids, and is shown by name. */
  readonly refersTo: readonly ReferredNoun[];
  readonly columns: (nameOf: NameOf) => readonly Column<Resource>[];
  /** Whether the caller is it, or acts by it. */
  readonly isOwn: (
    caller: Caller & { readonly accessKey: string },
    resource: Resource,
  ) => boolean;
  /** What goes with it, such as ` and its 2 access keys`. */
  readonly follows?: (
    carillon: Carillon,
    resource: Resource,
  ) => Promise<string>;
}

type ReferredNoun = "user" | "project" | "domain";

/** How a reference is shown; what there is no name for as it is. */
type NameOf = (noun: ReferredNoun, id: string) => string;

export const userKind: Kind<User> = {
  noun: "user",
  example: "ann",
  resources: ({ users }) => users,
  idOf: ({ id }) => id,
  nameOf: ({ name }) => name,
  domainIdOf: ({ domainId }) => domainId,
  refersTo: ["project", "domain"],
  columns: (nameOf) => [
    { head: "name", cell: ({ name }) => name },
    { head: "role", cell: ({ role }) => role },
    { head: "state", cell: stateOf },
    {
      head: "projects",
      cell: ({ projectIds }) =>
        projectIds.map((id) => nameOf("project", id)).join(", "),
      wraps: true,
    },
    { head: "domain", cell: ({ domainId }) => nameOf("domain", domainId) },
    { head: "id", cell: ({ id }) => id, isId: true },
  ],
  isOwn: ({ userId }, { id }) => userId === id,
  follows: (carillon, { id }) =>
    withItsKeys(carillon, ({ userId }) => userId === id),
};

export const projectKind: Kind<Project> = {
  noun: "project",
  example: "shop",
  resources: ({ projects }) => projects,
  idOf: ({ id }) => id,
  nameOf: ({ name }) => name,
  domainIdOf: ({ domainId }) => domainId,
  refersTo: ["domain"],
  columns: (nameOf) => [
    { head: "name", cell: ({ name }) => name },
    { head: "state", cell: stateOf },
    { head: "domain", cell: ({ domainId }) => nameOf("domain", domainId) },
    { head: "id", cell: ({ id }) => id, isId: true },
  ],
  isOwn: ({ projectId }, { id }) => projectId === id,
  follows: async (carillon, { id }) =>
    `${await withItsKeys(carillon, ({ projectId }) => projectId === id)}, with its templates, encryption keys and address book`,
};

export const domainKind: Kind<Domain> = {
  noun: "domain",
  example: "acme",
  resources: ({ domains }) => domains,
  idOf: ({ id }) => id,
  nameOf: ({ name }) => name,
  refersTo: [],
  columns: () => [
    { head: "name", cell: ({ name }) => name },
    { head: "state", cell: stateOf },
    { head: "id", cell: ({ id }) => id, isId: true },
  ],
  isOwn: ({ domainId }, { id }) => domainId === id,
};

export const keyKind: Kind<AccessKey> = {
  noun: "key",
  example: "AK3V9QZTM1X8PL5RNE7W",
  resources: ({ accessKeys }) => accessKeys,
  idOf: ({ accessKey }) => accessKey,
  refersTo: ["user", "project"],
  columns: (nameOf) => [
    { head: "access key", cell: ({ accessKey }) => accessKey },
    { head: "state", cell: stateOf },
    { head: "user", cell: ({ userId }) => nameOf("user", userId) },
    { head: "project", cell: ({ projectId }) => nameOf("project", projectId) },
    { head: "created", cell: ({ createdAt }) => shortTime(createdAt) },
  ],
  isOwn: (caller, { accessKey }) => caller.accessKey === accessKey,
};

/**
 * The one given by its id, the start of its id, or its name.
 *
 * @param domainId where a name is looked for; by default in all domains
 * @throws CommandFailure when there is none, or it may be several
 */
export async function findOne<Resource>(
  carillon: Carillon,
  kind: Kind<Resource>,
  reference: string,
  domainId?: string,
): Promise<Resource> {
  const all = await kind.resources(carillon).list();
  const { idOf, domainIdOf } = kind;
  const reachable = all.filter(
    (it) =>
      domainId === undefined ||
      idOf(it) === reference ||
      domainIdOf?.(it) === domainId,
  );
  const where = domainId === undefined ? "" : ` in the domain ${domainId}`;
  return chooseOne(reachable, kind, reference, where);
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
  kind: Kind<Resource>,
  texts: {
    readonly about: string;
    readonly whenNone: string;
    /** Besides the plain one. */
    readonly examples?: readonly string[];
  },
) {
  const { noun, resources } = kind;
  return clientCommand("list", texts.about, [
    `carillon ${noun} list`,
    ...(texts.examples ?? []),
  ]).action(async (options: ClientOptions) => {
    const output = createOutput(options);
    const [all, nameOf] = await withServer(options, async ({ carillon }) => [
      await resources(carillon).list(),
      await readNames(carillon, output.json ? [] : kind.refersTo),
    ]);
    output.rows(
      all,
      kind.columns((noun, id) => nameOf(noun, id) ?? id),
      texts.whenNone,
    );
  });
}

/** `carillon <kind> show <one>` */
export function showCommand<Resource>(kind: Kind<Resource>, about: string) {
  const { noun, example } = kind;
  return clientCommand(`show <${noun}>`, about, [
    `carillon ${noun} show ${example}`,
  ]).action(async (reference: string, options: ClientOptions) => {
    const output = createOutput(options);
    const [found, nameOf] = await withServer(options, async ({ carillon }) => [
      await findOne(carillon, kind, reference),
      await readNames(carillon, output.json ? [] : kind.refersTo),
    ]);
    output.record(
      found,
      kind.columns((noun, id) => {
        const name = nameOf(noun, id);
        return name === undefined ? id : `${name} (${id})`;
      }),
    );
  });
}

/** `carillon <kind> disable|enable <one>` */
export function switchCommand<Resource>(
  kind: Kind<Resource>,
  enabled: boolean,
  about: string,
) {
  const { noun, example } = kind;
  const verb = enabled ? "enable" : "disable";
  const command = clientCommand(`${verb} <${noun}>`, about, [
    `carillon ${noun} ${verb} ${example}`,
  ]);
  return (enabled ? command : addYes(command)).action(
    async (reference: string, options: ClientOptions & ConfirmOptions) => {
      const changed = await withServer(options, async (server) => {
        const { carillon } = server;
        const found = await findOne(carillon, kind, reference);
        if (!enabled && (await isOwn(server, kind, found))) {
          await confirm(
            `Disable ${describe(kind, found)}, by which this very command acts?`,
            options,
          );
        }
        const id = kind.idOf(found);
        return await kind.resources(carillon).change(id, { enabled });
      });
      createOutput(options).result(
        `${capital(noun)} ${reference} is ${verb}d.`,
        changed,
      );
    },
  );
}

/** `carillon <kind> delete <one>` */
export function deleteCommand<Resource>(kind: Kind<Resource>, about: string) {
  const { noun, example } = kind;
  return addYes(
    clientCommand(`delete <${noun}>`, about, [
      `carillon ${noun} delete ${example}`,
      `carillon ${noun} delete ${example} --yes`,
    ]),
  ).action(
    async (reference: string, options: ClientOptions & ConfirmOptions) => {
      await withServer(options, async (server) => {
        const { carillon } = server;
        const found = await findOne(carillon, kind, reference);
        const own = (await isOwn(server, kind, found))
          ? ", by which this very command acts"
          : "";
        const follows = (await kind.follows?.(carillon, found)) ?? "";
        await confirm(
          `Delete ${describe(kind, found)}${follows}${own}?`,
          options,
        );
        await kind
          .resources(carillon)
          .delete(kind.idOf(found), { ignoreMissing: false });
      });
      createOutput(options).result(
        `${capital(noun)} ${reference} is deleted.`,
        {
          [noun]: reference,
          deleted: true,
        },
      );
    },
  );
}

/** `user ann`, or its id where it has no name. */
function describe<Resource>(
  { noun, idOf, nameOf }: Kind<Resource>,
  resource: Resource,
): string {
  return `${noun} ${nameOf?.(resource) ?? idOf(resource)}`;
}

async function isOwn<Resource>(
  { carillon, accessKey }: Server,
  kind: Kind<Resource>,
  resource: Resource,
): Promise<boolean> {
  return kind.isOwn({ ...(await carillon.whoami()), accessKey }, resource);
}

async function withItsKeys(
  carillon: Carillon,
  isItsOwn: (key: AccessKey) => boolean,
): Promise<string> {
  const { length } = (await carillon.accessKeys.list()).filter(isItsOwn);
  if (length === 0) return "";
  return ` and its ${length === 1 ? "access key" : `${length} access keys`}`;
}

const referredKinds = {
  user: userKind,
  project: projectKind,
  domain: domainKind,
} as const;

/** Reads the names of all there are of these. */
async function readNames(
  carillon: Carillon,
  nouns: readonly ReferredNoun[],
): Promise<(noun: ReferredNoun, id: string) => string | undefined> {
  const names = new Map<string, string>();
  for (const noun of nouns) {
    for (const { id, name } of await referredKinds[noun]
      .resources(carillon)
      .list()) {
      names.set(`${noun} ${id}`, name);
    }
  }
  return (noun, id) => names.get(`${noun} ${id}`);
}

function capital(noun: string): string {
  return `${noun.charAt(0).toUpperCase()}${noun.slice(1)}`;
}

/** For a column: whether it works. */
function stateOf({ enabled }: Switch): string {
  return enabled ? "enabled" : "disabled";
}
