/** Keys that topics' messages are encrypted with at rest. */

import type { Api } from "../api.ts";
import { type JsonObject, readObjects, readText } from "../json.ts";
import type { RequestOptions } from "../transport.ts";

/** A key of the project, without its secret part. */
export interface Key extends JsonObject {
  readonly id: string;
  readonly name: string;
  /** `ENABLED`, or `DISABLED`: its topics cannot be published to. */
  readonly status: string;
  /** UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`. */
  readonly createdAt: string;
}

/** What a new key needs. */
export interface NewKey {
  readonly name: string;
  /** Default: one is made up. */
  readonly id?: string | undefined;
}

/** Creates, lists, enables and disables keys. */
export interface Keys {
  /** The project's, oldest first. */
  list(options?: RequestOptions): Promise<readonly Key[]>;
  create(key: NewKey, options?: RequestOptions): Promise<Key>;
  enable(id: string, options?: RequestOptions): Promise<Key>;
  disable(id: string, options?: RequestOptions): Promise<Key>;
}

export function createKeys(api: Api): Keys {
  const change =
    (action: "enable" | "disable") =>
    async (id: string, options?: RequestOptions): Promise<Key> => {
      const path = ["keys", id, action];
      const request = { method: "POST", path, isIdempotent: true } as const;
      return toKey((await api(request, options)).body);
    };
  return {
    enable: change("enable"),
    disable: change("disable"),
    async list(options) {
      const { body } = await api({ method: "GET", path: ["keys"] }, options);
      return readObjects(body, "keys").map(toKey);
    },
    async create(body, options) {
      const request = { method: "POST", path: ["keys"], body } as const;
      return toKey((await api(request, options)).body);
    },
  };
}

function toKey(body: JsonObject): Key {
  return {
    ...body,
    id: readText(body, "id"),
    name: readText(body, "name"),
    status: readText(body, "status"),
    createdAt: readText(body, "createdAt"),
  };
}
