/** What all resources that administrators and operators manage have in common. */

import type { Api } from "../api.ts";
import { type JsonObject, readObjects } from "../json.ts";
import { type DeleteOptions, deleted } from "../smn/missing.ts";
import type { RequestOptions } from "../transport.ts";

/** Given by id; an access key by itself. */
export interface Resources<Resource, Change> {
  list(options?: RequestOptions): Promise<readonly Resource[]>;
  change(
    id: string,
    change: Change,
    options?: RequestOptions,
  ): Promise<Resource>;
  /** Twice is fine. */
  delete(id: string, options?: DeleteOptions): Promise<void>;
}

/** Whether it works. */
export interface Switch {
  readonly enabled: boolean;
}

export function createResources<Resource, Change extends object>(
  api: Api,
  /** Of the path, as in `/api/v2/users`. */
  name: string,
  /** Of the list in its answer. */
  field: string,
  read: (body: JsonObject) => Resource,
): Resources<Resource, Change> {
  return {
    async list(options) {
      const { body } = await api({ method: "GET", path: [name] }, options);
      return readObjects(body, field).map(read);
    },
    async change(id, change, options) {
      const request = {
        method: "PATCH",
        path: [name, id],
        body: change,
      } as const;
      return read((await api(request, options)).body);
    },
    async delete(id, options = {}) {
      const request = { method: "DELETE", path: [name, id] } as const;
      await deleted(api(request, options), options);
    },
  };
}
