/**
 * Rules as functions over plain values, for adapters that run them where the
 * rest of core is not loaded: `@carillon/core/rules`.
 */

export {
  auditCheckInterval,
  surplusAuditEntries,
} from "./audit/audit-retention.ts";
export {
  type ClaimDecision,
  type ClaimFacts,
  cancelReasons,
  decideClaim,
} from "./messages/claim-decision.ts";
export {
  type ActionDecision,
  type ActionFacts,
  type ActionOrder,
  type ActionRefusal,
  type Actor,
  decideAction,
} from "./messages/delivery-action.ts";
export { mergeStates, refusedOutcome } from "./messages/merge-outcome.ts";
export {
  type ConfirmationWindow,
  countConfirmation,
} from "./subscriptions/confirmation-windows.ts";
export { type EpochMs, toEpochMs } from "./time.ts";
