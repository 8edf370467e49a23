/** Public surface of `@carillon/storage`. */

export {
  type CopyDatabaseOptions,
  copyDatabase,
  type Progress,
} from "./sqlite/backup/copy-database.ts";
export {
  DatabaseFile,
  newestSchemaVersion,
  type SealedAccessKey,
} from "./sqlite/backup/database-file.ts";
export { locateFiles, unfinishedRestoreName } from "./sqlite/data-folder.ts";
export { type DiskUse, readDiskUse } from "./sqlite/disk-use.ts";
export { isDamage, isDiskFull } from "./sqlite/failure.ts";
export { type FolderLock, holdDataFolder } from "./sqlite/folder-lock.ts";
export {
  findOpenToOthers,
  type OpenToOthers,
} from "./sqlite/folder-permissions.ts";
export {
  openSqliteStore,
  type SqliteStore,
  type SqliteStoreOptions,
} from "./sqlite/sqlite-store.ts";
