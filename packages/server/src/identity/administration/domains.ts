/** Domains: accounts that projects and users belong to. */

import type { Domain } from "@carillon/core";
import { RequestError } from "../../errors.ts";
import { isReached } from "../permissions.ts";
import type { AdministrationContext } from "./administration.ts";
import { checkName, checkOperatorRemains, found, withSwitch } from "./rules.ts";

export interface DomainAdministration {
  /** @throws RequestError IDENTITY_INVALID; CarillonError IDENTITY_EXISTS */
  create(domain: { readonly name: string }): Promise<Domain>;
  list(): Promise<readonly Domain[]>;
  /** @throws RequestError IDENTITY_NOT_FOUND */
  get(id: string): Promise<Domain>;
  /**
   * Its users and projects stop and start working with it.
   *
   * @throws RequestError IDENTITY_NOT_FOUND, LAST_OPERATOR, LAST_OPERATOR_KEY
   */
  setEnabled(id: string, enabled: boolean): Promise<Domain>;
  /** @throws RequestError IDENTITY_NOT_FOUND, IDENTITY_IN_USE */
  delete(id: string): Promise<void>;
}

export function createDomainAdministration({
  store,
  newId,
  change,
  reach,
}: AdministrationContext): DomainAdministration {
  const isHere = ({ id }: Domain) => isReached(reach, { domainId: id });
  const get = async (id: string) => {
    const domain = await store.findDomain(id);
    return found(domain && isHere(domain) ? domain : undefined, "domain");
  };
  return {
    get,
    list: async () => (await store.listDomains()).filter(isHere),
    create: ({ name }) =>
      change(async (version) => {
        const domain = { id: newId(), name: checkName(name) };
        await store.putDomain(domain, version);
        return domain;
      }),
    setEnabled: (id, enabled) =>
      change(async (version) => {
        const domain = withSwitch(await get(id), enabled);
        if (!enabled) await checkOperatorRemains(store, { domainId: id });
        await store.putDomain(domain, version);
        return domain;
      }),
    delete: (id) =>
      change(async (version) => {
        await get(id);
        if (await store.deleteDomain(id, version)) return;
        throw new RequestError(
          "IDENTITY_IN_USE",
          "The domain has projects or users: delete them first.",
        );
      }),
  };
}
