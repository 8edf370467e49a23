/** Public surface of `@carillon/storage`. */

export {
  findOpenToOthers,
  type OpenToOthers,
} from "./sqlite/folder-permissions.ts";
export {
  openSqliteStore,
  type SqliteStore,
  type SqliteStoreOptions,
} from "./sqlite/sqlite-store.ts";
