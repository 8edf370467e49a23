/** What publishers and subscribers have in common: accounts of a project. */

import type { Api } from "../api.ts";
import { findText, type JsonObject, readObjects, readText } from "../json.ts";
import { type DeleteOptions, deleted } from "../smn/missing.ts";
import type { RequestOptions } from "../transport.ts";

/** An account whose secret was just made. */
export interface WithSecret {
  /** Not shown again. */
  readonly secret: string;
}

/** Given by name. */
export interface Accounts<Account, Change> {
  /** By name; pages are fetched as needed. */
  list(options?: RequestOptions): AsyncGenerator<Account, void, undefined>;
  /** @throws ResourceNotFoundError */
  get(name: string, options?: RequestOptions): Promise<Account>;
  change(
    name: string,
    change: Change,
    options?: RequestOptions,
  ): Promise<Account>;
  /** Another secret; the one before stops working at once. */
  rotateSecret(
    name: string,
    options?: RequestOptions,
  ): Promise<Account & WithSecret>;
  /** Twice is fine. */
  delete(name: string, options?: DeleteOptions): Promise<void>;
}

/** As many as the server gives at once. */
const pageSize = 100;

export function createAccounts<Account, Change extends object>(
  api: Api,
  /** Of the path, as in `/api/v2/publishers`, and of the list in its answer. */
  kind: "publishers" | "subscribers",
  read: (body: JsonObject) => Account,
) {
  const readWithSecret = (body: JsonObject): Account & WithSecret => ({
    ...read(body),
    secret: readText(body, "secret"),
  });
  return {
    async *list(options?: RequestOptions) {
      let after: string | undefined;
      do {
        const query = { limit: pageSize, after };
        const request = { method: "GET", path: [kind], query } as const;
        const { body } = await api(request, options);
        yield* readObjects(body, kind).map(read);
        after = findText(body, "next");
      } while (after !== undefined);
    },
    async create(body: object, options?: RequestOptions) {
      const request = { method: "POST", path: [kind], body } as const;
      return readWithSecret((await api(request, options)).body);
    },
    async get(name, options) {
      const request = { method: "GET", path: [kind, name] } as const;
      return read((await api(request, options)).body);
    },
    async change(name, body, options) {
      const request = { method: "PATCH", path: [kind, name], body } as const;
      return read((await api(request, options)).body);
    },
    async rotateSecret(name, options) {
      const path = [kind, name, "secret"];
      const { body } = await api({ method: "POST", path }, options);
      return readWithSecret(body);
    },
    async delete(name, options = {}) {
      const request = { method: "DELETE", path: [kind, name] } as const;
      await deleted(api(request, options), options);
    },
  } satisfies Accounts<Account, Change> & {
    create(
      account: object,
      options?: RequestOptions,
    ): Promise<Account & WithSecret>;
  };
}
