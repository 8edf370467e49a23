/**
 * The receipts' rival: a bare Fastify that takes the same forms and updates one
 * row of SQLite for each, those that come together in one transaction, with the
 * same durability. Answers {@link ReceiptsQuestion}.
 */

import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fastify from "fastify";
import { serveQuestions } from "../program.ts";

export interface ReceiptsQuestion {
  /** Rows `T1` to `T{texts}` are there afterwards, none of them reported. */
  readonly texts: number;
}

const folder = mkdtempSync(join(tmpdir(), "carillon-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
process.on("SIGTERM", () => process.exit());
const db = new DatabaseSync(join(folder, "receipts.db"));
db.exec(`
  PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  CREATE TABLE texts (id TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
`);
const update = db.prepare("UPDATE texts SET state = ? WHERE id = ?");

interface Waiting {
  readonly id: string;
  readonly state: string;
  readonly done: () => void;
}

let waiting: Waiting[] = [];

function writeAll(): void {
  const batch = waiting;
  waiting = [];
  db.exec("BEGIN");
  for (const { id, state } of batch) update.run(state, id);
  db.exec("COMMIT");
  for (const { done } of batch) done();
}

const app = fastify();
app.addContentTypeParser(
  "application/x-www-form-urlencoded",
  { parseAs: "string" },
  (_request, body, done) => done(null, new URLSearchParams(String(body))),
);
app.post<{ Body: URLSearchParams }>("/status", async ({ body }) => {
  await new Promise<void>((done) => {
    if (waiting.length === 0) setImmediate(writeAll);
    waiting.push({
      id: body.get("id") ?? "",
      state: body.get("state") ?? "",
      done,
    });
  });
  return "OK";
});
await app.listen({ port: 0, host: "127.0.0.1" });
serveQuestions(
  (app.server.address() as AddressInfo).port,
  ({ texts }: ReceiptsQuestion) => {
    db.exec("BEGIN; DELETE FROM texts");
    const insert = db.prepare("INSERT INTO texts VALUES (?, 'sent')");
    for (let n = 1; n <= texts; n++) insert.run(`T${n}`);
    db.exec("COMMIT");
    return {};
  },
);
