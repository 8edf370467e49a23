/**
 * The engine's own promises, run over every store, and over each store made to
 * answer at once, late, and in another order than it was asked: an engine that
 * was proved on one kind store has hidden what the real ones do to it.
 *
 * ```ts
 * testEngineContract("sqlite", ({ clock }) => openSqliteStore({ folder, clock }));
 * ```
 */

import { describe } from "node:test";
import { answeringLate, answeringOutOfOrder } from "./answering.ts";
import { testBatches } from "./engine-contract/batches.ts";
import { testBillable } from "./engine-contract/billable.ts";
import { createEngineCases } from "./engine-contract/cases.ts";
import { testFailover } from "./engine-contract/failover.ts";
import { testFanOut } from "./engine-contract/fan-out.ts";
import { testFaults } from "./engine-contract/faults.ts";
import { testIdleTexts } from "./engine-contract/idle-texts.ts";
import { testLeases } from "./engine-contract/leases.ts";
import { testNotices } from "./engine-contract/notices.ts";
import { testPolls } from "./engine-contract/polls.ts";
import { testPull } from "./engine-contract/pull.ts";
import { testRetries } from "./engine-contract/retries.ts";
import { testSeveralTopics } from "./engine-contract/several-topics.ts";
import { testUrgencies } from "./engine-contract/urgencies.ts";
import type { WorldOptions } from "./engine-contract/world.ts";
import type { OpenStore } from "./open-store.ts";
import { seededRandom } from "./seeded-random.ts";

export type { OpenStore };

const manners: Readonly<Record<string, NonNullable<WorldOptions["wrap"]>>> = {
  "as it comes": (store) => store,
  late: (store) => answeringLate(store),
  "out of order": (store) => answeringOutOfOrder(store, seededRandom(11)),
};

export interface EngineContractOptions {
  /**
   * Subscribers of the topic that two engines share. Default 20,000; fewer for a
   * store that looks at all of its rows for each.
   */
  readonly manySubscribers?: number;
}

/** Registers the suite with node:test. `open` answers an empty store each time. */
export function testEngineContract(
  name: string,
  open: OpenStore,
  { manySubscribers = 20_000 }: EngineContractOptions = {},
): void {
  for (const [manner, wrap] of Object.entries(manners)) {
    describe(`the engine on ${name}, answering ${manner}`, () => {
      const cases = createEngineCases(open, wrap);
      describe("fan-out", () => testFanOut(cases, manySubscribers));
      describe("several topics", () => testSeveralTopics(cases));
      describe("retries", () => testRetries(cases));
      describe("what costs money", () => testBillable(cases));
      describe("failover", () => testFailover(cases));
      describe("polls", () => testPolls(cases));
      describe("urgencies", () => testUrgencies(cases));
      describe("batches", () => testBatches(cases));
      describe("idle texts", () => testIdleTexts(cases));
      describe("notices", () => testNotices(cases));
      describe("pull", () => testPull(cases));
      describe("leases", () => testLeases(cases));
      describe("faults", () => testFaults(cases));
    });
  }
}
