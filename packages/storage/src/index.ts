/** Public surface of `@carillon/storage`. */

export {
  openSqliteStore,
  type SqliteStore,
  type SqliteStoreOptions,
} from "./sqlite/sqlite-store.ts";
