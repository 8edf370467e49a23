/** Imports: messages that another program sent; for administrators. */

import type { Api } from "../api.ts";
import { findNumber, type JsonObject, readObjects, readText } from "../json.ts";
import type { RequestOptions } from "../transport.ts";

/** A message of another program. Instants are RFC 3339. */
export interface ImportRecord {
  /** Its id there, for what is said of it. */
  readonly id: string;
  readonly createdAt: string;
  readonly to: string;
  readonly text: string;
  /** The next four are of mails. */
  readonly subject?: string | undefined;
  readonly html?: string | undefined;
  readonly senderName?: string | undefined;
  readonly attachments?:
    | readonly {
        readonly name: string;
        readonly contentType: string;
        /** Base64. */
        readonly content: string;
      }[]
    | undefined;
  readonly sender?: string | undefined;
  readonly templateSlug?: string | undefined;
  readonly tag?: string | undefined;
  readonly priority?: number | undefined;
  readonly extraData?: object | undefined;
  readonly extraSenderData?: object | undefined;
  readonly relatedObjects?:
    | readonly {
        readonly type: string;
        readonly id: string;
        readonly createdAt: string;
        readonly changedAt: string;
      }[]
    | undefined;
  /** What is `waiting` or `retrying` is sent at once; nothing else is. */
  readonly state: string;
  /** Of a cancelled one: why it was not sent. */
  readonly reason?: string | undefined;
  readonly attempts: number;
  readonly sentAt?: string | undefined;
  readonly changedAt?: string | undefined;
  readonly error?: string | undefined;
  readonly backend?: string | undefined;
  readonly externalId?: string | undefined;
}

/** The next part of an import. */
export interface ImportBatch {
  readonly channel: "sms" | "email";
  /** The position that it follows; absent for the first one. */
  readonly after?: string | undefined;
  /** Where the import stands behind it. */
  readonly position: string;
  /** At most 500. */
  readonly records: readonly ImportRecord[];
  /** How many more were left out already. */
  readonly skipped?: number | undefined;
  /** Check all, and keep nothing. */
  readonly dryRun?: boolean | undefined;
}

/** How far an import has got. */
export interface Import extends JsonObject {
  readonly name: string;
  readonly position: string;
  readonly imported: number;
  readonly skipped: number;
}

/** What came of a batch. */
export interface ImportBatchResult extends JsonObject {
  readonly imported: number;
  readonly skipped: readonly {
    readonly id: string;
    readonly reason: string;
  }[];
}

/** Imports what other programs sent. */
export interface Imports {
  /** Rejects with IMPORT_NOT_FOUND when nothing was imported by the name yet. */
  get(name: string, options?: RequestOptions): Promise<Import>;
  /**
   * Keeps a batch once: rejects with IMPORT_POSITION_CONFLICT when the import does
   * not stand where it follows.
   */
  add(
    name: string,
    batch: ImportBatch,
    options?: RequestOptions,
  ): Promise<ImportBatchResult>;
}

export function createImports(api: Api): Imports {
  return {
    async get(name, options) {
      const path = ["imports", name];
      const { body } = await api({ method: "GET", path }, options);
      return {
        ...body,
        name: readText(body, "name"),
        position: readText(body, "position"),
        imported: findNumber(body, "imported") ?? 0,
        skipped: findNumber(body, "skipped") ?? 0,
      };
    },
    async add(name, batch, options) {
      const path = ["imports", name, "batches"];
      const request = { method: "POST", path, body: batch } as const;
      const { body } = await api(request, options);
      return {
        ...body,
        imported: findNumber(body, "imported") ?? 0,
        skipped: readObjects(body, "skipped").map((one) => ({
          id: readText(one, "id"),
          reason: readText(one, "reason"),
        })),
      };
    },
  };
}
