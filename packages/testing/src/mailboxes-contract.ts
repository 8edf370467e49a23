/**
 * What mailboxes promise their consumers, run over every store, and over each
 * store made to answer late and in another order than it was asked.
 *
 * ```ts
 * testMailboxesContract("sqlite", ({ clock }) => openSqliteStore({ folder, clock }));
 * ```
 */

import { describe } from "node:test";
import { answeringLate, answeringOutOfOrder } from "./answering.ts";
import {
  createMailboxCases,
  type WrapStore,
} from "./mailboxes-contract/cases.ts";
import { testMailboxFaults } from "./mailboxes-contract/faults.ts";
import { testLegacyReceive } from "./mailboxes-contract/legacy.ts";
import { testReceiving } from "./mailboxes-contract/receiving.ts";
import { testSettling } from "./mailboxes-contract/settling.ts";
import { testStreams } from "./mailboxes-contract/streams.ts";
import { testTorture } from "./mailboxes-contract/torture.ts";
import type { OpenStore } from "./open-store.ts";
import { seededRandom } from "./seeded-random.ts";

export type { OpenStore };

const manners: Readonly<Record<string, WrapStore>> = {
  "as it comes": (store) => store,
  late: (store) => answeringLate(store),
  "out of order": (store) => answeringOutOfOrder(store, seededRandom(11)),
};

/** Registers the suite with node:test. `open` answers an empty store each time. */
export function testMailboxesContract(name: string, open: OpenStore): void {
  for (const [manner, wrap] of Object.entries(manners)) {
    describe(`mailboxes on ${name}, answering ${manner}`, () => {
      const cases = createMailboxCases(open, wrap);
      describe("receiving", () => testReceiving(cases));
      describe("settling", () => testSettling(cases));
      describe("the Notipy protocol", () => testLegacyReceive(cases));
      describe("streams", () => testStreams(cases));
      describe("faults", () => testMailboxFaults(cases));
      describe("torture", () => testTorture(cases));
    });
  }
}
