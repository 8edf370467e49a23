/**
 * What administrators and operators do with domains, projects, users and
 * access keys, as far as they reach. What is taken from somebody is refused
 * from the next request on in this process, and in others of the same store
 * once they are told of the change. Changes by several processes at once are as
 * good as one after the other.
 */

import {
  CarillonError,
  type Clock,
  ConcurrencyLimit,
  type IdentityStore,
  type NewId,
} from "@carillon/core";
import type { Keys } from "../../keys/keys.ts";
import type { Identity } from "../identity.ts";
import type { Reach } from "../permissions.ts";
import { createSecretBox, type SecretBox } from "../secret-box.ts";
import {
  type AccessKeyAdministration,
  createAccessKeyAdministration,
} from "./access-keys.ts";
import {
  createDomainAdministration,
  type DomainAdministration,
} from "./domains.ts";
import {
  createProjectAdministration,
  type ProjectAdministration,
} from "./projects.ts";
import { createUserAdministration, type UserAdministration } from "./users.ts";

/**
 * Each part finds, lists and changes only what is within a reach; the rest is
 * not there for it.
 */
export interface Administration {
  readonly domains: DomainAdministration;
  readonly projects: ProjectAdministration;
  readonly users: UserAdministration;
  readonly accessKeys: AccessKeyAdministration;
}

/** What callers may administer, by how far they reach. */
export type AdministrationWithin = (reach: Reach) => Administration;

export interface AdministrationPorts {
  readonly store: IdentityStore;
  /** Those that messages are sealed with. */
  readonly keys: Pick<Keys, "deleteProject">;
  readonly identity: Pick<Identity, "directory" | "invalidate">;
  readonly clock: Clock;
  readonly newId: NewId;
  /** Where passwords are hashed. */
  readonly hashes: ConcurrencyLimit;
  /** 32 bytes that secrets in the store are encrypted under. */
  readonly key: Uint8Array;
  /** Called after each change, before it is answered. */
  readonly onChanged: () => Promise<void>;
}

/** What the parts work with. */
export interface AdministrationContext
  extends Omit<AdministrationPorts, "key" | "onChanged"> {
  readonly secrets: SecretBox;
  readonly reach: Reach;
  /**
   * One change after the other: each looks at what is there before it writes.
   * `run` gives the version to its write, which is to be its only one of
   * domains, projects, users and access keys; it is called again when another
   * process was quicker. The caches are invalidated afterwards.
   *
   * @throws CarillonError OVERLOADED when too many wait for their turn,
   * IDENTITY_CHANGED when others change something all the time
   */
  change<Result>(run: (version: number) => Promise<Result>): Promise<Result>;
}

const maxWaitingChanges = 100;

/** One other process at least has succeeded in each round that fails. */
const maxRounds = 100;

export function createAdministration({
  key,
  onChanged,
  ...ports
}: AdministrationPorts): AdministrationWithin {
  const changes = new ConcurrencyLimit({
    max: 1,
    maxWaiting: maxWaitingChanges,
  });
  const secrets = createSecretBox(key);
  const context: Omit<AdministrationContext, "reach"> = {
    ...ports,
    secrets,
    change: (run) =>
      changes.run(async () => {
        try {
          return await decide(ports.store, run);
        } finally {
          // Also after a failure: what was written by then counts.
          ports.identity.invalidate();
          await onChanged();
        }
      }),
  };
  return (reach) => ({
    domains: createDomainAdministration({ ...context, reach }),
    projects: createProjectAdministration({ ...context, reach }),
    users: createUserAdministration({ ...context, reach }),
    accessKeys: createAccessKeyAdministration({ ...context, reach }),
  });
}

/** Until the version that it was decided by is the one it is written to. */
async function decide<Result>(
  store: Pick<IdentityStore, "readIdentityVersion">,
  run: (version: number) => Promise<Result>,
): Promise<Result> {
  for (let round = 1; ; round++) {
    const version = await store.readIdentityVersion();
    try {
      return await run(version);
    } catch (error) {
      const isOvertaken =
        error instanceof CarillonError && error.code === "IDENTITY_CHANGED";
      if (!isOvertaken || round === maxRounds) throw error;
    }
  }
}
