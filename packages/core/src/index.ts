/** Public surface of `@carillon/core`. */

export type { ConditionContext } from "./access/access-condition.ts";
export {
  type AccessAction,
  accessActions,
  maxAccessPolicyBytes,
} from "./access/access-policy.ts";
export { createTopicAccess, type TopicAccess } from "./access/topic-access.ts";
export {
  type AuditSource,
  auditCheckInterval,
  surplusAuditEntries,
} from "./audit/audit-retention.ts";
export { ConcurrencyLimit } from "./concurrency-limit.ts";
export {
  type DeadlineEntry,
  DeadlineQueue,
  deadlineSlackMs,
} from "./engine/deadline-queue.ts";
export {
  createDeliveryActions,
  type DeliveryActions,
  type FilterRequest,
} from "./engine/delivery-actions.ts";
export {
  createEngine,
  type Engine,
  type EngineOptions,
} from "./engine/engine.ts";
export type { EngineStatus } from "./engine/engine-status.ts";
export {
  createJobRunner,
  type JobRunner,
} from "./engine/job-runner.ts";
export type { Publisher } from "./engine/publish.ts";
export { defaultRetryPolicy, smnRetryPolicy } from "./engine/retry-policy.ts";
export { shortestLeaseMs } from "./engine/sender.ts";
export {
  CarillonError,
  type ErrorCode,
  errorCatalogue,
  isTransient,
} from "./errors.ts";
export {
  filterNamed,
  findNamed,
  foldIdentityName,
  identityExists,
  isSameIdentityName,
} from "./identity/identity-name.ts";
export {
  createTimeOrderedIds,
  type IdSource,
  isHexId,
  type MessageId,
  type NewId,
  type ProjectId,
  parseDeliveryId,
  type SubscriptionId,
  type TopicId,
  toDeliveryId,
} from "./ids.ts";
export {
  inboundBindingKey,
  parseInboundBinding,
} from "./inbound/inbound-binding.ts";
export {
  createInboundIntake,
  type InboundIntake,
} from "./inbound/inbound-intake.ts";
export type {
  InboundMessage,
  NewInboundMessage,
} from "./inbound/inbound-message.ts";
export { toPhoneAddress } from "./inbound/phone-address.ts";
export {
  type IpRange,
  includesRange,
  networkOf,
  parseIpRange,
  routedBlockOf,
} from "./ip-range.ts";
export { findExcess, type JsonLimits } from "./json-extent.ts";
export { loadOnce } from "./load-once.ts";
export {
  defaultMessageLives,
  type MessageLives,
  smnMessageLives,
} from "./messages/default-life.ts";
export {
  type Attempt,
  type Delivery,
  type DeliveryOutcome,
  type DeliveryReceipt,
  type ErrorClass,
  errorClasses,
  receiptEvents,
} from "./messages/delivery.ts";
export {
  type ActionDecision,
  type ActionFacts,
  type ActionOrder,
  type ActionRefusal,
  type Actor,
  type DeliveryActionRecord,
  decideAction,
} from "./messages/delivery-action.ts";
export {
  actionStates,
  type DeliveryFilter,
  type DeliveryJob,
  defaultActionStates,
  isJobOver,
  type JobState,
  jobStates,
  type NewDeliveryJob,
  type SkipReason,
  skipReasons,
} from "./messages/delivery-job.ts";
export {
  type DeliveryAction,
  type DeliveryState,
  deliveryActions,
  deliveryStates,
  isSettled,
  nextState,
  operatorTransitions,
  stateAfterReceipt,
} from "./messages/delivery-state.ts";
export {
  type AudienceKind,
  audienceKinds,
  contentKinds,
  type Message,
  type MessageAttribute,
  type MessageContent,
  type MessageTopic,
  maxMessageBytes,
  maxTimeToLiveSeconds,
  type NewMessage,
  selectText,
} from "./messages/message.ts";
export {
  checkMessageAttributes,
  type MessageAttributeRequest,
} from "./messages/message-attributes.ts";
export { orAborted } from "./or-aborted.ts";
export {
  type AuditEntry,
  type AuditFilter,
  type AuditPage,
  type AuditPageRequest,
  type AuditPosition,
  type AuditStore,
  type NewAuditEntry,
  refusedLoginAction,
} from "./ports/audit-store.ts";
export type { BindingStore } from "./ports/binding-store.ts";
export {
  type AttemptResult,
  type AttemptSignals,
  type Channel,
  type ChannelKind,
  createProblemWithText,
  type FailedResult,
  isBillable,
  noChannelText,
  type PreparedMessage,
  type ProblemWithText,
  type Recipient,
} from "./ports/channel.ts";
export { type Clock, systemClock, type Timer } from "./ports/clock.ts";
export type { ContentSeal } from "./ports/content-seal.ts";
export type {
  ActionResult,
  ClaimedJob,
  DeliveryActionStore,
  JobStep,
  WalkLimits,
  WalkPosition,
} from "./ports/delivery-action-store.ts";
export type {
  DeliveryListener,
  WrittenDelivery,
} from "./ports/delivery-listener.ts";
export type {
  AudienceRange,
  Backlog,
  ClaimedDelivery,
  DeliveryStore,
  FencedOutcome,
  Lease,
  RangeEnd,
  RangeOutcome,
  Receipt,
  ReclaimedWork,
  RefusedOutcome,
} from "./ports/delivery-store.ts";
export type { Dispatcher, WorkHint } from "./ports/dispatcher.ts";
export type {
  AccessKey,
  Domain,
  IdentityStore,
  Project,
  TokenRecord,
  User,
  UserRole,
} from "./ports/identity-store.ts";
export type { InboundStore } from "./ports/inbound-store.ts";
export { type LogFields, type Logger, silentLogger } from "./ports/logger.ts";
export type {
  MessageFilter,
  MessagePage,
  MessageReader,
  MessageReport,
} from "./ports/message-store.ts";
export type {
  OptOutKey,
  OptOutRecord,
  OptOutRecordStore,
} from "./ports/opt-out-record-store.ts";
export type { Page, PageRequest } from "./ports/page.ts";
export type {
  ResourceTagStore,
  TaggedTopic,
} from "./ports/resource-tag-store.ts";
export {
  type HourlyCount,
  hourMs,
  type StatisticsReader,
} from "./ports/statistics-store.ts";
export type { Store } from "./ports/store.ts";
export type {
  NewSubscription,
  SubscriberNotice,
  SubscriptionChange,
  SubscriptionFilter,
  SubscriptionStore,
} from "./ports/subscription-store.ts";
export type { SubscriptionUserStore } from "./ports/subscription-user-store.ts";
export type {
  MessageTemplateSummary,
  TemplateStore,
} from "./ports/template-store.ts";
export type {
  TopicChange,
  TopicFilter,
  TopicReader,
  TopicStore,
} from "./ports/topic-store.ts";
export {
  type ConfirmationWindow,
  cancelReasons,
  countConfirmation,
  decideClaim,
  mergeStates,
  refusedOutcome,
} from "./rules.ts";
export { createSteadyClock } from "./steady-clock.ts";
export {
  type ConfirmationLimit,
  defaultConfirmationLimits,
} from "./subscriptions/confirmation-limits.ts";
export {
  createDetections,
  type Detection,
  type Detections,
  type Probe,
  type ProbeResult,
} from "./subscriptions/detections.ts";
export {
  checkFilterPolicies,
  type FilterPolicy,
  type FilterPolicyRequest,
  maxFilterPolicyBatch,
} from "./subscriptions/filter-policy.ts";
export { toAsciiMailAddress } from "./subscriptions/mail-address.ts";
export {
  maskEndpoint,
  maskSecrets,
  maskText,
  maskUrl,
} from "./subscriptions/mask-endpoint.ts";
export {
  isProtocol,
  type Protocol,
  protocols,
} from "./subscriptions/protocol.ts";
export {
  confirmationLifetimeMs,
  type ExtensionRequest,
  type Subscription,
  type SubscriptionExtension,
  type SubscriptionStatus,
  subscriptionStatus,
} from "./subscriptions/subscription.ts";
export type {
  AddressBook,
  SubscriptionUser,
} from "./subscriptions/subscription-user.ts";
export {
  createSubscriptionUsers,
  type SubscriptionUsers,
} from "./subscriptions/subscription-users.ts";
export {
  type CodeTarget,
  createSubscriptions,
  type SubscribeRequest,
  type Subscriptions,
} from "./subscriptions/subscriptions.ts";
export { verificationCodeOf } from "./subscriptions/verification-code.ts";
export type {
  MessageTemplate,
  MessageTemplateId,
  NewMessageTemplate,
  TemplateProtocol,
} from "./templates/template.ts";
export { createTemplates, type Templates } from "./templates/templates.ts";
export { checkStorable, fitsUtf8, toStorable } from "./text.ts";
export { addMs, type EpochMs, isEpochMs, toEpochMs } from "./time.ts";
export {
  checkNotifyPolicy,
  defaultRoundSeconds,
  maxNotifyRounds,
  maxPerNotifyRound,
  type NotifyPolicy,
} from "./topics/notify-policy.ts";
export {
  createResourceFilter,
  matchesResource,
  maxTaggedResources,
  type ResourceFilter,
  type ResourceQuery,
  type TagPatternRequest,
} from "./topics/resource-filter.ts";
export {
  mergeResourceTags,
  type ResourceTag,
  type ResourceTagRequest,
  type TagBatch,
} from "./topics/resource-tag.ts";
export {
  createResourceTags,
  type ResourceTags,
  type TopicReference,
} from "./topics/resource-tags.ts";
export { checkDisplayName, type NewTopic, type Topic } from "./topics/topic.ts";
export { attributesOf, checkAttributeName } from "./topics/topic-attributes.ts";
export type {
  BindingData,
  BindingKind,
  TopicBinding,
} from "./topics/topic-binding.ts";
export {
  createTopicBindings,
  type TopicBindings,
} from "./topics/topic-bindings.ts";
export { createTopics, type Topics } from "./topics/topics.ts";
export {
  formatSubscriptionUrn,
  parseSubscriptionUrn,
  parseTopicUrn,
} from "./urn.ts";
