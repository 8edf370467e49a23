/**
 * Rules as functions over plain values, for adapters that run them where the
 * rest of core is not loaded: `@carillon/core/rules`.
 */

export {
  auditCheckInterval,
  surplusAuditEntries,
} from "./audit/audit-retention.ts";
export {
  addToCounter,
  type KeptCounter,
  toCounter,
} from "./counters/counter.ts";
export { eventTopicName } from "./events/event-topic.ts";
export { lateOutcomesMs } from "./events/late-outcomes.ts";
export { toRuns } from "./events/target-runs.ts";
export {
  mergeSuppression,
  suppressionReasonOf,
} from "./mail-events/email-suppression.ts";
export {
  enoughMailEvents,
  receiptEventOf,
  receiptTextOf,
} from "./mail-events/mail-event.ts";
export {
  type ClaimDecision,
  type ClaimFacts,
  cancelReasons,
  decideClaim,
  stateBeforeClaim,
  unfetchedError,
} from "./messages/claim-decision.ts";
export { expiresAtOf } from "./messages/default-life.ts";
export {
  type ActionDecision,
  type ActionFacts,
  type ActionOrder,
  type ActionRefusal,
  type Actor,
  decideAction,
} from "./messages/delivery-action.ts";
export {
  isByMessage,
  isForMessages,
  isNewerThanJob,
} from "./messages/delivery-job.ts";
export {
  enoughReceipts,
  isNews,
  mergeReceipt,
  type ReceiptFacts,
} from "./messages/delivery-part.ts";
export {
  deliveryStates,
  isFinal,
  isSettled,
  nextState,
} from "./messages/delivery-state.ts";
export {
  failedByReceipt,
  failedByTimeout,
  lostAttempt,
  mergeSenderData,
  mergeStates,
  refusedOutcome,
  unknownPollDelayMs,
} from "./messages/merge-outcome.ts";
export { handedOverPosition } from "./messages/message-topics.ts";
export {
  defaultUrgency,
  noticeUrgency,
  reportUrgency,
  takeByUrgency,
  type Urgency,
  urgencies,
} from "./messages/urgency.ts";
export { counterKinds } from "./ports/counter-store.ts";
export { maxEventsOfStream } from "./ports/message-queue-store.ts";
export { reasonNotQueued, reasonUnconfirmed } from "./pull/dead-letter.ts";
export { decideLegacyReceive } from "./pull/legacy-receive.ts";
export {
  type ConfirmationWindow,
  countConfirmation,
} from "./subscriptions/confirmation-windows.ts";
export { noticeContent } from "./subscriptions/subscriber-notice.ts";
export { isUnsubscribable } from "./subscriptions/subscription-tokens.ts";
export {
  mayTryCode,
  type WrongCodeKeys,
} from "./subscriptions/verification-code.ts";
export { type EpochMs, isEpochMs, toEpochMs } from "./time.ts";
