/**
 * Stored messages on SQLite by themselves, in one process: a bulk as the service
 * stores it, the same rows put into the same tables by plain SQL, and the listing of
 * what an object is about. Answers {@link StoredQuestion}.
 */

import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { smsProtocol } from "@carillon/channels";
import {
  createDeliveryActions,
  createEngine,
  createProtocols,
  createStoredMessages,
  createTimeOrderedIds,
  createTopics,
  defaultLivesOf,
  OutcomeWaits,
  type ProjectId,
  type StoredMessages,
  systemClock,
} from "@carillon/core";
import { createEmbeddedDispatcher } from "@carillon/dispatch";
import { openSqliteStore, type SqliteStore } from "@carillon/storage";
import { serveQuestions } from "../program.ts";
import { phoneNumber } from "../seed.ts";

export type StoredQuestion =
  /** How long `count` texts take, stored by the service, or by plain SQL. */
  | { readonly kind: "bulk" | "bare"; readonly count: number }
  /** Puts so many texts with an object each into a store of their own. */
  | { readonly kind: "seed"; readonly count: number }
  /** How long the listing of one object's texts takes among these, at the median. */
  | { readonly kind: "list"; readonly count: number };

/** Texts that are about each object. */
const textsOfObject = 50;

/** Objects that are listed at a question. */
const listed = 200;

const projectId = "0123456789abcdef0123456789abcdef" as ProjectId;
const text = "Your parcel is here";
const newId = createTimeOrderedIds(systemClock.now, (n) =>
  randomBytes(n).toString("hex"),
);
const logger = {
  debug() {},
  info() {},
  warn() {},
  error: console.error,
  child: () => logger,
};

interface Opened extends AsyncDisposable {
  readonly folder: string;
  readonly store: SqliteStore;
  readonly texts: StoredMessages;
}

/** A service whose engine delivers nothing. */
async function open(folder: string): Promise<Opened> {
  const store = await openSqliteStore({ folder });
  const clock = systemClock;
  const dispatcher = createEmbeddedDispatcher();
  const topics = createTopics({ store, clock, newId }, { region: "local" });
  const protocols = createProtocols([smsProtocol]);
  const engine = createEngine({
    store,
    topics,
    dispatcher,
    channels: [
      {
        name: "sms",
        protocols: [smsProtocol],
        kind: "billable",
        timeoutMs: 1000,
        prepare: () => {
          throw new Error("Nothing is delivered here.");
        },
        async close() {},
      },
    ],
    protocols,
    clock,
    logger,
    random: Math.random,
    newId,
    newMessageId: newId,
  });
  const texts = createStoredMessages({
    channel: "sms",
    store,
    direct: engine.direct,
    actions: createDeliveryActions({
      store,
      topics,
      dispatcher,
      clock,
      newId,
      rules: { lives: defaultLivesOf(protocols), pullProtocols: [] },
      protocols,
      onJob() {},
    }),
    templates: {
      get: () => Promise.reject(new Error("There are no templates here.")),
      render: () => Promise.reject(new Error("There are no templates here.")),
      refusals: async () => [],
    },
    waits: new OutcomeWaits(clock),
    protocols,
    clock,
  });
  return {
    folder,
    store,
    texts,
    async [Symbol.asyncDispose]() {
      await dispatcher.close();
      await store.close();
    },
  };
}

const parent = mkdtempSync(join(tmpdir(), "carillon-bench-"));
process.on("exit", () => rmSync(parent, { recursive: true, force: true }));
process.on("SIGTERM", () => process.exit());
const seeded = new Map<number, Opened>();

async function bulk(count: number): Promise<{ seconds: number }> {
  await using opened = await open(mkdtempSync(join(parent, "bulk-")));
  const to = Array.from({ length: count }, (_, n) => phoneNumber(n));
  const begun = performance.now();
  const stored = await opened.texts.sendBulk(projectId, { to, text });
  const seconds = (performance.now() - begun) / 1000;
  if (stored.length !== count) throw new Error(`${stored.length} were stored`);
  return { seconds };
}

async function bare(count: number): Promise<{ seconds: number }> {
  const folder = mkdtempSync(join(parent, "bare-"));
  await (await openSqliteStore({ folder })).close();
  const db = openDatabase(folder);
  const to = Array.from({ length: count }, (_, n) => phoneNumber(n));
  const begun = performance.now();
  db.exec("BEGIN IMMEDIATE");
  insertMessage(db, 1);
  const recipient = db.prepare(recipientSql);
  const delivery = db.prepare(deliverySql);
  for (let n = 0; n < count; n++) {
    recipient.run(1, n, "sms", to[n] ?? "", projectId);
    delivery.run(1, n, Date.now());
  }
  db.exec("COMMIT");
  const seconds = (performance.now() - begun) / 1000;
  db.close();
  return { seconds };
}

const recipientSql =
  "INSERT INTO recipients (message_seq, target, protocol, endpoint, project_id) VALUES (?, ?, ?, ?, ?)";
/** Waiting (0), due now, billable. */
const deliverySql = `INSERT INTO deliveries (message_seq, target, state, attempts,
  next_attempt_at, billable, project_id)
  VALUES (?, ?, 0, 0, ?, 1, '${projectId}')`;

/** A direct message (2) of plain text (0). */
function insertMessage(db: DatabaseSync, seq: number): void {
  db.prepare(
    `INSERT INTO messages (seq, id, project_id, audience, created_at, newest_at,
       expires_at, content_kind, content)
     VALUES (?1, ?2, ?3, 2, ?4, ?4, ?5, 0, ?6)`,
  ).run(seq, newId(), projectId, Date.now(), Date.now() + 14_400_000, text);
}

function openDatabase(folder: string): DatabaseSync {
  const db = new DatabaseSync(join(folder, "carillon.db"));
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  return db;
}

/** By plain SQL: through the service it would take longer than what is timed. */
async function seed(count: number): Promise<object> {
  const folder = mkdtempSync(join(parent, `${count}-`));
  await (await openSqliteStore({ folder })).close();
  const db = openDatabase(folder);
  const now = Date.now();
  const numbers = `WITH RECURSIVE n (i) AS
    (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`;
  const objects = Math.max(1, Math.floor(count / textsOfObject));
  db.exec("BEGIN IMMEDIATE");
  db.exec(`INSERT INTO messages (seq, id, project_id, audience, created_at,
      newest_at, expires_at, content_kind, content)
    ${numbers} SELECT i, printf('%032x', i), '${projectId}', 2, ${now} + i,
      ${now} + i, ${now} + i, 0, '${text}' FROM n`);
  db.exec(`INSERT INTO recipients (message_seq, target, protocol, endpoint,
      project_id)
    ${numbers} SELECT i, 0, 'sms', printf('+49151%08d', i % 100000000),
      '${projectId}' FROM n`);
  // Delivered (5): they came to rest.
  db.exec(`INSERT INTO deliveries (message_seq, target, state, attempts, billable,
      project_id)
    ${numbers} SELECT i, 0, 5, 1, 1, '${projectId}' FROM n`);
  db.exec(`INSERT INTO related_objects (message_seq, n, project_id, type, id,
      created_at, changed_at)
    ${numbers} SELECT i, 0, '${projectId}', 'order', i % ${objects}, ${now},
      ${now} FROM n`);
  db.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
  db.close();
  seeded.set(count, await open(folder));
  return {};
}

async function list(count: number): Promise<{ ms: number }> {
  const opened = seeded.get(count);
  if (opened === undefined) throw new Error("It was not seeded.");
  const objects = Math.max(1, Math.floor(count / textsOfObject));
  const times: number[] = [];
  for (let n = 0; n < listed; n++) {
    // Spread over all of them.
    const id = String((n * 7_368_787) % objects);
    const begun = performance.now();
    const { messages } = await opened.texts.list(
      projectId,
      { relatedObjects: [{ type: "order", id }] },
      { limit: 20 },
    );
    times.push(performance.now() - begun);
    if (messages.length !== 20) throw new Error(`${messages.length} of 20`);
  }
  times.sort((a, b) => a - b);
  return { ms: times[listed / 2] ?? Number.NaN };
}

const answers = { bulk, bare, seed, list };

serveQuestions(0, ({ kind, count }: StoredQuestion) => answers[kind](count));
