/** Writes of providers' receipts. */

import type { DatabaseSync } from "node:sqlite";
import type { Receipt } from "@carillon/core";
import { receiptEventCodes } from "../schema/codes.ts";
import { receipts } from "../schema/delivery-table.ts";
import { prepareQuery } from "../schema/query.ts";
import type { ChangeJournal } from "./change-journal.ts";
import { CountChanges, createCounts } from "./message-counts.ts";
import { createReceiptSettlement } from "./receipt-join.ts";
import type { StateRules } from "./state-rules.ts";
import { createStatistics, SettledCounts } from "./statistics-writes.ts";

export function createReceiptWrites(
  db: DatabaseSync,
  rules: StateRules,
  journal: ChangeJournal,
) {
  /**
   * The delivery that a provider knows by this id; the newest, should it use
   * one twice. Parameters: external id, provider.
   * Index: deliveries_external_id.
   */
  const byExternalId = prepareQuery<
    [messageSeq: number, target: number, state: number]
  >(
    db,
    `SELECT message_seq, target, state
     FROM deliveries INDEXED BY deliveries_external_id
     WHERE external_id = ? AND provider = ?
     ORDER BY message_seq DESC, target DESC LIMIT 1`,
  );
  const insert = db.prepare(receipts.insert);
  const settle = createReceiptSettlement(db);
  const counts = createCounts(db, journal);
  const statistics = createStatistics(db);

  return {
    recordReceipt(receipt: Receipt): void {
      const { provider, externalId, at } = receipt;
      const event = receiptEventCodes[receipt.event];
      const found = byExternalId.get(externalId, provider);
      const key = found && { messageSeq: found[0], target: found[1] };
      insert.run(...receipts.toRow({ ...receipt, ...key }));
      if (!found) return;
      const next = rules.afterReceipt[event]?.[found[2]];
      if (next === undefined || next === found[2]) return;
      settle(next, found[0], found[1]);
      const countChanges = new CountChanges();
      countChanges.move(found[0], found[1], found[2], next);
      counts.add(countChanges, at);
      if (rules.settled[found[2]] || !rules.settled[next]) return;
      const settledCounts = new SettledCounts();
      settledCounts.add(found[0], found[1], next, at);
      statistics.add(settledCounts);
    },
  };
}
