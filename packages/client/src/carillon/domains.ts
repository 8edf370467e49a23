/** Domains: accounts with projects and users. */

import type { Api } from "../api.ts";
import { type JsonObject, readBoolean, readText } from "../json.ts";
import type { RequestOptions } from "../transport.ts";
import { createResources, type Resources, type Switch } from "./resources.ts";

/** An account: its users work in its projects. */
export interface Domain extends JsonObject {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
}

/** What a new domain needs. */
export interface NewDomain {
  readonly name: string;
}

/** Creates, lists, changes and deletes domains. */
export interface Domains extends Resources<Domain, Switch> {
  create(domain: NewDomain, options?: RequestOptions): Promise<Domain>;
}

export function createDomains(api: Api): Domains {
  return {
    ...createResources(api, "domains", "domains", toDomain),
    async create(body, options) {
      const request = { method: "POST", path: ["domains"], body } as const;
      return toDomain((await api(request, options)).body);
    },
  };
}

function toDomain(body: JsonObject): Domain {
  return {
    ...body,
    id: readText(body, "id"),
    name: readText(body, "name"),
    enabled: readBoolean(body, "enabled"),
  };
}
