/**
 * What every store must do, as tests: each promise of core's store ports, told
 * once and run by every adapter. Give it a way to open an empty store:
 *
 * ```ts
 * testStoreContract("sqlite", ({ clock }) =>
 *   openSqliteStore({ folder: emptyFolder(), clock }),
 * );
 * ```
 */

import { describe } from "node:test";
import type { OpenStore } from "./open-store.ts";
import { testAudit } from "./store-contract/audit.ts";
import { testBindings } from "./store-contract/bindings.ts";
import { testCancelledWork } from "./store-contract/cancelled-work.ts";
import { type ContractOptions, createCases } from "./store-contract/cases.ts";
import { testChanges } from "./store-contract/changes.ts";
import { testClaimedDeliveries } from "./store-contract/claimed-deliveries.ts";
import { testConfirmationLimits } from "./store-contract/confirmation-limits.ts";
import { testCounters } from "./store-contract/counters.ts";
import { testDeliveryActions } from "./store-contract/delivery-actions.ts";
import { testDeliveryChecks } from "./store-contract/delivery-checks.ts";
import { testDetections } from "./store-contract/detections.ts";
import { testFailingEndpoints } from "./store-contract/failing-endpoints.ts";
import { testFanOut } from "./store-contract/fan-out.ts";
import { testIdempotency } from "./store-contract/idempotency.ts";
import { testIdentity } from "./store-contract/identity.ts";
import { testImports } from "./store-contract/imports.ts";
import { testInbound } from "./store-contract/inbound.ts";
import { testLeases } from "./store-contract/leases.ts";
import { testLedgerProperties } from "./store-contract/ledger-properties.ts";
import { testLifetime } from "./store-contract/lifetime.ts";
import { testMailEvents } from "./store-contract/mail-events.ts";
import { testMailboxes } from "./store-contract/mailboxes.ts";
import { testMessageCancellation } from "./store-contract/message-cancellation.ts";
import { testMessageQueue } from "./store-contract/message-queue.ts";
import { testMessageQueueProperties } from "./store-contract/message-queue-properties.ts";
import { testMessages } from "./store-contract/messages.ts";
import { testOptOuts } from "./store-contract/opt-outs.ts";
import { testOrderedFanOut } from "./store-contract/ordered-fan-out.ts";
import { testPagingProperties } from "./store-contract/paging-properties.ts";
import { testPublishers } from "./store-contract/publishers.ts";
import { testQuotas } from "./store-contract/quotas.ts";
import { testReceipts } from "./store-contract/receipts.ts";
import { testRefusals } from "./store-contract/refusals.ts";
import { testResourceTags } from "./store-contract/resource-tags.ts";
import { testRounds } from "./store-contract/rounds.ts";
import { testSeveralTopics } from "./store-contract/several-topics.ts";
import { testSilence } from "./store-contract/silence.ts";
import { testStatistics } from "./store-contract/statistics.ts";
import { testStoreChanges } from "./store-contract/store-changes.ts";
import { testStoredMessages } from "./store-contract/stored-messages.ts";
import { testStoredTemplates } from "./store-contract/stored-templates.ts";
import { testSubscriptionUsers } from "./store-contract/subscription-users.ts";
import { testSubscriptions } from "./store-contract/subscriptions.ts";
import { testTemplates } from "./store-contract/templates.ts";
import { testTopicDeletion } from "./store-contract/topic-deletion.ts";
import { testTopics } from "./store-contract/topics.ts";
import { testUrgencies } from "./store-contract/urgencies.ts";
import { testWaits } from "./store-contract/waits.ts";
import { testWithdrawals } from "./store-contract/withdrawals.ts";

export type { ContractOptions, OpenStore };

/** Registers the suite with node:test. `open` answers an empty store each time. */
export function testStoreContract(
  name: string,
  open: OpenStore,
  options: ContractOptions = {},
): void {
  const cases = createCases(open, options);
  describe(`${name} keeps the store contract`, () => {
    describe("topics", () => testTopics(cases));
    describe("resource tags", () => testResourceTags(cases));
    describe("subscriptions", () => testSubscriptions(cases));
    describe("confirmations", () => testConfirmationLimits(cases));
    describe("mailboxes", () => testMailboxes(cases));
    describe("publishers", () => testPublishers(cases));
    describe("templates", () => testTemplates(cases));
    describe("templates of stored messages", () => testStoredTemplates(cases));
    describe("lists", () => testPagingProperties(cases));
    describe("quotas", () => testQuotas(cases));
    describe("messages", () => testMessages(cases));
    describe("idempotency keys", () => testIdempotency(cases));
    describe("stored messages", () => testStoredMessages(cases));
    describe("imports", () => testImports(cases));
    describe("fan-out", () => testFanOut(cases));
    describe("several topics", () => testSeveralTopics(cases));
    describe("ordered fan-out", () => testOrderedFanOut(cases));
    describe("claimed deliveries", () => testClaimedDeliveries(cases));
    describe("urgencies", () => testUrgencies(cases));
    describe("what is in mailboxes", () => {
      testMessageQueue(cases);
      testMessageQueueProperties(cases);
    });
    describe("what is left in mailboxes", () => testWithdrawals(cases));
    describe("leases", () => testLeases(cases));
    describe("topics that are deleted", () => testTopicDeletion(cases));
    describe("refusals", () => testRefusals(cases));
    describe("receipts", () => testReceipts(cases));
    describe("silence", () => testSilence(cases));
    describe("waits", () => testWaits(cases));
    describe("delivery checks", () => testDeliveryChecks(cases));
    describe("operators' actions", () => testDeliveryActions(cases));
    describe("cancelled messages", () => testMessageCancellation(cases));
    describe("work on cancelled messages", () => testCancelledWork(cases));
    describe("inbound messages", () => testInbound(cases));
    describe("opt-outs", () => testOptOuts(cases));
    describe("mail events", () => testMailEvents(cases));
    describe("change feed", () => testChanges(cases));
    describe("endpoints that fail", () => testFailingEndpoints(cases));
    describe("notices of changes", () => testStoreChanges(cases));
    describe("audit log", () => testAudit(cases));
    describe("ledger", () => testLedgerProperties(cases));
    describe("rounds", () => testRounds(cases));
    describe("subscription users", () => testSubscriptionUsers(cases));
    describe("statistics", () => testStatistics(cases));
    describe("bindings", () => testBindings(cases));
    describe("counters", () => testCounters(cases));
    describe("detections", () => testDetections(cases));
    describe("identity", () => testIdentity(cases));
    describe("lifetime", () => testLifetime(cases));
  });
}
