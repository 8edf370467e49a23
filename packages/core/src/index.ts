/** Public surface of `@carillon/core`. */

export type { ConditionContext } from "./access/access-condition.ts";
export {
  type AccessDecision,
  type AccessPrincipal,
  type AccessQuestion,
  type AccessRequest,
  decideAccess,
  evaluateAccess,
  explainAccess,
  type StatementTrace,
} from "./access/access-decision.ts";
export {
  type AccessAction,
  type AccessPolicy,
  type AccessStatement,
  accessActions,
  isAccessAction,
  maxAccessPolicyBytes,
  parseAccessPolicy,
} from "./access/access-policy.ts";
export {
  type AccessTrial,
  createTopicAccess,
  type TopicAccess,
  type TopicCaller,
} from "./access/topic-access.ts";
export {
  ConcurrencyLimit,
  type ConcurrencyLimitOptions,
} from "./concurrency-limit.ts";
export {
  type DeadlineEntry,
  DeadlineQueue,
  deadlineSlackMs,
} from "./engine/deadline-queue.ts";
export {
  createEngine,
  defaultEngineOptions,
  type Engine,
  type EngineOptions,
  type EnginePorts,
} from "./engine/engine.ts";
export type { EngineStatus } from "./engine/engine-status.ts";
export type {
  Publisher,
  PublishRequest,
  TemplateChoice,
} from "./engine/publish.ts";
export {
  defaultRetryPolicy,
  type RetryPolicy,
  retryDelay,
  smnRetryPolicy,
} from "./engine/retry-policy.ts";
export {
  CarillonError,
  type ErrorCode,
  errorCatalogue,
  isTransient,
} from "./errors.ts";
export {
  createTimeOrderedIds,
  type DeliveryId,
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
  createInboundBindings,
  type InboundBinding,
  inboundBindingKey,
  parseInboundBinding,
} from "./inbound/inbound-binding.ts";
export {
  createInboundIntake,
  type InboundIntake,
  type InboundOptions,
  type InboundPorts,
  type ReceivedText,
} from "./inbound/inbound-intake.ts";
export {
  type InboundMessage,
  keywordOf,
  type NewInboundMessage,
} from "./inbound/inbound-message.ts";
export { toPhoneAddress } from "./inbound/phone-address.ts";
export { type IpRange, includesRange, parseIpRange } from "./ip-range.ts";
export {
  defaultMessageLives,
  expiresAtOf,
  lastExpiryOf,
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
} from "./messages/delivery.ts";
export {
  type DeliveryEvent,
  type DeliveryState,
  deliveryStates,
  deliveryTransitions,
  isFinal,
  isSettled,
  nextState,
  pymessStateNames,
} from "./messages/delivery-state.ts";
export {
  type AudienceKind,
  checkSubject,
  checkText,
  type Message,
  type MessageAttribute,
  type MessageContent,
  type MessageTopic,
  maxMessageBytes,
  maxTimeToLiveSeconds,
  type NewMessage,
  parseMessageStructure,
  parseTimeToLive,
  selectText,
} from "./messages/message.ts";
export {
  checkMessageAttributes,
  type MessageAttributeRequest,
  maxMessageAttributes,
} from "./messages/message-attributes.ts";
export type { BindingStore } from "./ports/binding-store.ts";
export type {
  AttemptResult,
  Channel,
  FailedResult,
  PreparedMessage,
  Recipient,
} from "./ports/channel.ts";
export { type Clock, systemClock, type Timer } from "./ports/clock.ts";
export { type ContentSeal, noSeal } from "./ports/content-seal.ts";
export type {
  DeliveryListener,
  WrittenDelivery,
} from "./ports/delivery-listener.ts";
export type {
  Chunk,
  ChunkEnd,
  ChunkOutcome,
  ClaimedDelivery,
  DeliveryStore,
  FencedOutcome,
  Lease,
  PendingWork,
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
export type { InboundFilter, InboundStore } from "./ports/inbound-store.ts";
export { type LogFields, type Logger, silentLogger } from "./ports/logger.ts";
export type { MessageReader, MessageReport } from "./ports/message-store.ts";
export type {
  OptOutKey,
  OptOutRecord,
  OptOutRecordStore,
} from "./ports/opt-out-record-store.ts";
export type { Page, PageRequest } from "./ports/page.ts";
export type {
  ResourceTagReader,
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
  SubscriptionReader,
  SubscriptionStore,
} from "./ports/subscription-store.ts";
export type { SubscriptionUserStore } from "./ports/subscription-user-store.ts";
export type {
  MessageTemplateSummary,
  TemplateFilter,
  TemplateReader,
  TemplateStore,
} from "./ports/template-store.ts";
export type {
  TopicChange,
  TopicFilter,
  TopicReader,
  TopicStore,
} from "./ports/topic-store.ts";
export {
  type ClaimDecision,
  type ClaimFacts,
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
  type ConfirmationLimits,
  defaultConfirmationLimits,
} from "./subscriptions/confirmation-limits.ts";
export {
  createDetections,
  type Detection,
  type Detections,
  type DetectRequest,
  type Probe,
  type ProbeResult,
} from "./subscriptions/detections.ts";
export {
  type CompiledAttributes,
  checkFilterPolicies,
  compileAttributes,
  describeMismatch,
  type FilterMismatch,
  type FilterPolicy,
  type FilterPolicyRequest,
  findMismatch,
  maxFilterPolicies,
  maxFilterPolicyBatch,
  passesFilter,
} from "./subscriptions/filter-policy.ts";
export {
  checkEndpoint,
  checkProtocol,
  isProtocol,
  type Protocol,
  protocols,
} from "./subscriptions/protocol.ts";
export {
  checkExtension,
  checkRemark,
  confirmationLifetimeMs,
  defaultSubscriptionsPerTopic,
  type ExtensionRequest,
  type Subscription,
  type SubscriptionExtension,
  type SubscriptionStatus,
  subscriptionStatus,
} from "./subscriptions/subscription.ts";
export {
  defaultSubscriptionUsersPerDomain,
  type SubscriptionUser,
} from "./subscriptions/subscription-user.ts";
export {
  createSubscriptionUsers,
  type SubscriptionUsers,
} from "./subscriptions/subscription-users.ts";
export {
  createSubscriptions,
  type SubscribeRequest,
  type Subscriptions,
  type SubscriptionsOptions,
} from "./subscriptions/subscriptions.ts";
export { verificationCodeOf } from "./subscriptions/verification-code.ts";
export {
  isSmnProtocol,
  type SmnProtocol,
  smnProtocols,
} from "./templates/smn-protocols.ts";
export {
  checkTemplateContent,
  checkTemplateId,
  checkTemplateName,
  checkTemplateProtocol,
  checkTemplateTags,
  defaultTemplatesPerProject,
  type MessageTemplate,
  type MessageTemplateId,
  maxTemplatePlaceholders,
  maxTemplateTagNames,
  type NewMessageTemplate,
  type ParsedTemplate,
  parseTemplate,
  renderTemplate,
  renderVariants,
  type TemplateProtocol,
  type TemplateTags,
} from "./templates/template.ts";
export {
  type CreateTemplateRequest,
  createTemplates,
  type Templates,
  type TemplatesOptions,
} from "./templates/templates.ts";
export {
  checkStorable,
  fitsUtf8,
  isStorable,
  toStorable,
  utf8Length,
} from "./text.ts";
export { addMs, type EpochMs, isEpochMs, toEpochMs } from "./time.ts";
export {
  checkNotifyPolicy,
  defaultRoundSeconds,
  type NotifyPolicy,
  type NotifyRound,
  roundsOf,
} from "./topics/notify-policy.ts";
export {
  createResourceFilter,
  matchesResource,
  maxTaggedResources,
  type ResourceFilter,
  type ResourceFilterRequest,
  type ResourceQuery,
  type TaggedResource,
  type TagPattern,
  type TagPatternRequest,
} from "./topics/resource-filter.ts";
export {
  checkTagKey,
  defaultTagsPerTopic,
  mergeResourceTags,
  type ResourceTag,
  type ResourceTagRequest,
  type TagBatch,
} from "./topics/resource-tag.ts";
export {
  createResourceTags,
  type ProjectTag,
  type ResourceTags,
  type ResourceTagsOptions,
  type TopicReference,
} from "./topics/resource-tags.ts";
export {
  checkDisplayName,
  checkTopicName,
  defaultTopicsPerProject,
  type NewTopic,
  type Topic,
} from "./topics/topic.ts";
export {
  attributesOf,
  checkAttributeName,
  maxIntroductionBytes,
  type TopicAttributeName,
  type TopicAttributes,
  topicAttributeNames,
} from "./topics/topic-attributes.ts";
export type {
  BindingData,
  BindingKind,
  TopicBinding,
} from "./topics/topic-binding.ts";
export {
  createTopicBindings,
  type TopicBindings,
} from "./topics/topic-bindings.ts";
export {
  createTopics,
  type Topics,
  type TopicsOptions,
} from "./topics/topics.ts";
export {
  formatSubscriptionUrn,
  formatTopicUrn,
  parseSubscriptionUrn,
  parseTopicUrn,
  type SubscriptionUrn,
  type TopicUrn,
} from "./urn.ts";
