/**
 * Core's store on SQLite: for one process, without services. One thread
 * writes, the main thread reads.
 */

import {
  CarillonError,
  type Clock,
  createSteadyClock,
  type Logger,
  orAborted,
  type Store,
  silentLogger,
  systemClock,
} from "@carillon/core";
import { openForWriting } from "./connection.ts";
import {
  type DataFolder,
  damagedDatabase,
  openDataFolder,
  unusableFolder,
} from "./data-folder.ts";
import { isDamage } from "./failure.ts";
import { lockFolder } from "./folder-lock.ts";
import { createAuditStore } from "./read/audit-store.ts";
import { createBindingStore } from "./read/binding-store.ts";
import { createChangeFeed } from "./read/change-feed.ts";
import { createCounterStore } from "./read/counter-store.ts";
import { createDeliveryActionStore } from "./read/delivery-action-store.ts";
import { createDeliveryCheckStore } from "./read/delivery-check-store.ts";
import { createDetectionStore } from "./read/detection-store.ts";
import { createFailingEndpointStore } from "./read/failing-endpoint-store.ts";
import { createIdentityStore } from "./read/identity-store.ts";
import { createImportStore } from "./read/import-store.ts";
import { createInboundStore } from "./read/inbound-store.ts";
import { createMailEventStore } from "./read/mail-event-store.ts";
import { createMailboxStore } from "./read/mailbox-store.ts";
import { createMessageReader } from "./read/message-reader.ts";
import { createOptOutStore } from "./read/opt-out-store.ts";
import { createPublisherStore } from "./read/publisher-store.ts";
import { createQueueStore } from "./read/queue-store.ts";
import { Reader } from "./read/reader.ts";
import { createResourceTagStore } from "./read/resource-tag-store.ts";
import { createStatisticsReader } from "./read/statistics-store.ts";
import { createStoredMessageStore } from "./read/stored-message-store.ts";
import { createStoredTemplateStore } from "./read/stored-template-store.ts";
import { createSubscriptionStore } from "./read/subscription-store.ts";
import { createSubscriptionUserStore } from "./read/subscription-user-store.ts";
import { createTemplateStore } from "./read/template-store.ts";
import { createTopicStore } from "./read/topic-store.ts";
import { createWorkStore } from "./read/work-store.ts";
import { migrate, readMigrations } from "./schema/migrations.ts";
import { Writer, type WriterStatus } from "./write/writer.ts";

/** Where a SQLite store keeps its files, and what it uses besides. */
export interface SqliteStoreOptions {
  /** Where everything is kept; made when it is not there. */
  readonly folder: string;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /**
   * Called once when the thread that writes has died: from then on every write
   * fails with STORAGE_UNAVAILABLE, until the process is started anew.
   */
  readonly onBroken?: (error: CarillonError) => void;
  /**
   * An abort ends the opening: between two migrations, of which those done
   * stay, or while the writing thread starts.
   */
  readonly signal?: AbortSignal;
}

/** A store in a folder of files, for one process at a time. */
export interface SqliteStore extends Store {
  /** Numbers the store counts as it works. */
  readonly status: WriterStatus;
}

/**
 * Opens the store of a data folder, bringing its schema up to date.
 *
 * @throws CarillonError STORAGE_IN_USE when another store has the folder open,
 * STORAGE_UNUSABLE when it cannot be read or written, or is a newer version's;
 * the signal's reason. Nothing is left open then.
 */
export async function openSqliteStore({
  folder: path,
  clock = systemClock,
  logger = silentLogger,
  onBroken = () => {},
  signal,
}: SqliteStoreOptions): Promise<SqliteStore> {
  signal?.throwIfAborted();
  const folder = openDataFolder(path);
  for (const entry of folder.closedToOthers) {
    logger.warn("storage_closed_to_others", { ...entry });
  }
  for (const entry of folder.openToOthers) {
    logger.warn("storage_open_to_others", { ...entry });
  }
  const lock = lockFolder(folder, clock.now());
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => lock.release());
  // The thread loads its modules while the schema is looked at here.
  const writer = new Writer(folder.database, logger, onBroken);
  cleanup.defer(() => writer.close());
  const reader = await prepareDatabase(folder, { clock, logger }, signal);
  // Closed before the writer, who as the last one empties the log.
  cleanup.defer(() => reader.close());
  await orAborted(writer.open(), signal);

  const connections = { reader, writer };
  // What is due is kept as an instant, and clocks are set.
  const steadyClock = createSteadyClock(clock);
  const messageReader = createMessageReader(reader);
  const resources = cleanup.move();
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= resources.disposeAsync();
    return closed;
  };
  return {
    ...createTopicStore(connections),
    ...createResourceTagStore(connections),
    ...createSubscriptionStore(connections, steadyClock),
    ...createSubscriptionUserStore(connections),
    ...createMailboxStore(connections),
    ...createPublisherStore(connections),
    ...createTemplateStore(connections),
    ...createStoredTemplateStore(connections),
    ...createBindingStore(connections),
    ...createStatisticsReader(reader),
    ...messageReader,
    ...createStoredMessageStore(connections, messageReader, steadyClock),
    ...createImportStore(connections),
    ...createWorkStore(connections, steadyClock, logger),
    ...createQueueStore(connections),
    ...createDeliveryActionStore(connections, steadyClock),
    ...createDeliveryCheckStore(connections, steadyClock),
    ...createInboundStore(connections),
    ...createOptOutStore(connections),
    ...createMailEventStore(connections),
    ...createIdentityStore(connections),
    ...createCounterStore(connections, steadyClock),
    ...createDetectionStore(connections, steadyClock),
    ...createAuditStore(connections),
    ...createChangeFeed(connections, steadyClock),
    ...createFailingEndpointStore(connections),
    changes: (listener) => writer.changes(listener),
    exclusive: true,
    get status() {
      return writer.status;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Migrates, and answers the reader. */
async function prepareDatabase(
  folder: DataFolder,
  { clock, logger }: Required<Pick<SqliteStoreOptions, "clock" | "logger">>,
  signal: AbortSignal | undefined,
): Promise<Reader> {
  const { path, database } = folder;
  try {
    const db = openForWriting(database);
    try {
      let isNew = false;
      for await (const version of migrate(db, readMigrations(), clock)) {
        isNew ||= version === 1;
        // Of a new database nobody has to know it.
        if (isNew) logger.debug("storage_migrated", { version });
        else logger.info("storage_migrated", { version });
        signal?.throwIfAborted();
      }
      // While this is open the log stays: it is not written back in full only
      // to be started anew by the writer.
      return new Reader(database);
    } finally {
      db.close();
    }
  } catch (cause) {
    if (signal?.aborted || cause instanceof CarillonError) throw cause;
    throw isDamage(cause)
      ? damagedDatabase(folder, cause)
      : unusableFolder(path, cause);
  }
}
