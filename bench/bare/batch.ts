/**
 * The batch sender's rival: texts that stand in a table of SQLite are handed to the
 * carrier by undici on so many connections, and what came of each is written to its
 * row, those that come together in one transaction, with the same durability.
 * Answers {@link BatchQuestion} with the seconds it took.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Agent } from "undici";
import { serveQuestions } from "../program.ts";

export interface BatchQuestion {
  /** The carrier's. */
  readonly port: number;
  readonly texts: number;
  readonly connections: number;
}

const folder = mkdtempSync(join(tmpdir(), "carillon-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
process.on("SIGTERM", () => process.exit());
const db = new DatabaseSync(join(folder, "texts.db"));
db.exec(`
  PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  CREATE TABLE texts (
    id INTEGER PRIMARY KEY, recipient TEXT NOT NULL, text TEXT NOT NULL,
    state TEXT NOT NULL, attempts INTEGER NOT NULL, provider TEXT,
    external_id TEXT, sent_at INTEGER
  );
  CREATE INDEX texts_waiting ON texts (id) WHERE state = 'waiting';
`);
const insert = db.prepare(
  "INSERT INTO texts (recipient, text, state, attempts) VALUES (?, ?, 'waiting', 0)",
);
const waitingTexts = db.prepare(
  "SELECT id, recipient, text FROM texts WHERE state = 'waiting' ORDER BY id",
);
const update = db.prepare(
  `UPDATE texts SET state = 'sent', attempts = attempts + 1,
     provider = 'carrier', external_id = ?, sent_at = ? WHERE id = ?`,
);

interface Text {
  readonly id: number;
  readonly recipient: string;
  readonly text: string;
}

interface Taken {
  readonly id: number;
  readonly externalId: string;
  readonly at: number;
  readonly done: () => void;
}

let taken: Taken[] = [];

function writeAll(): void {
  const batch = taken;
  taken = [];
  db.exec("BEGIN");
  for (const { id, externalId, at } of batch) update.run(externalId, at, id);
  db.exec("COMMIT");
  for (const { done } of batch) done();
}

function write(id: number, externalId: string): Promise<void> {
  return new Promise((done) => {
    if (taken.length === 0) setImmediate(writeAll);
    taken.push({ id, externalId, at: Date.now(), done });
  });
}

serveQuestions(0, async ({ port, texts, connections }: BatchQuestion) => {
  db.exec("BEGIN; DELETE FROM texts");
  for (let n = 0; n < texts; n++) insert.run(`4915${n}`, "Your parcel is here");
  db.exec("COMMIT");
  const begun = performance.now();
  const agent = new Agent({ connections });
  // The table's columns.
  const waiting = waitingTexts.all() as unknown as Text[];
  let next = 0;
  const written: Promise<void>[] = [];
  const lane = async () => {
    while (next < waiting.length) {
      const text = waiting[next++];
      if (text === undefined) return;
      const { id, recipient: to } = text;
      const { statusCode, body } = await agent.request({
        method: "POST",
        origin: `http://127.0.0.1:${port}`,
        path: "/texts",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ to, text: text.text }),
      });
      const answer = (await body.json()) as { readonly id: string };
      if (statusCode !== 200) throw new Error(`answered ${statusCode}`);
      written.push(write(id, answer.id));
    }
  };
  await Promise.all(Array.from({ length: connections }, lane));
  await Promise.all(written);
  await agent.close();
  return { seconds: (performance.now() - begun) / 1000 };
});
