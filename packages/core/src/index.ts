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
  checkCounterChange,
  checkCounterKeys,
} from "./counters/counter.ts";
export { type CheckedResult, checkResult } from "./engine/attempt-result.ts";
export type { PollCount } from "./engine/carrier-polls.ts";
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
export type { NoticeIntake } from "./engine/due-deliveries.ts";
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
export type { IdleFrom } from "./engine/outcome.ts";
export {
  defaultPollSchedule,
  type PollSchedule,
} from "./engine/poll-schedule.ts";
export type {
  PublishedMessage,
  Publisher,
  PublishRequest,
} from "./engine/publish.ts";
export { defaultRetryPolicy, smnRetryPolicy } from "./engine/retry-policy.ts";
export { WorkLoop } from "./engine/work-loop.ts";
export {
  CarillonError,
  type ErrorCode,
  errorCatalogue,
  isPermanent,
  isTransient,
} from "./errors.ts";
export { EndpointHealth } from "./events/endpoint-health.ts";
export {
  deliveryFacts,
  type EventContext,
  type EventFacts,
  type EventType,
  eventTime,
  eventTypes,
  messageFacts,
  occurrenceFacts,
  topicOfDelivery,
} from "./events/event.ts";
export {
  EventPublisher,
  type EventPublisherOptions,
  type EventPublisherPorts,
} from "./events/event-publisher.ts";
export {
  checkNotEventTopic,
  eventTopicName,
} from "./events/event-topic.ts";
export { lateOutcomesMs } from "./events/late-outcomes.ts";
export { countRuns, listRuns, toRuns } from "./events/target-runs.ts";
export {
  filterNamed,
  findNamed,
  foldIdentityName,
  identityExists,
  isSameIdentityName,
} from "./identity/identity-name.ts";
export {
  createTimeOrderedIds,
  type DeliveryId,
  type IdSource,
  isHexId,
  type MailboxId,
  type MessageId,
  type NewId,
  type ProjectId,
  type PublisherId,
  parseDeliveryId,
  type SubscriptionId,
  type TopicId,
  toDeliveryId,
} from "./ids.ts";
export {
  inboundBindingKey,
  parseInboundBinding,
} from "./inbound/inbound-binding.ts";
export { inboundFacts } from "./inbound/inbound-facts.ts";
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
  type EmailSuppression,
  mergeSuppression,
  type SoftBounceLimit,
  type SuppressionReason,
  suppressionReasonOf,
  suppressionReasons,
} from "./mail-events/email-suppression.ts";
export {
  enoughMailEvents,
  type MailEvent,
  type MailEventKind,
  type MailEventReport,
  mailEntry,
  mailEventKinds,
  mailPartId,
  maxRawCharacters,
  maxReportTextCharacters,
  type NewMailEvent,
  receiptEventOf,
  receiptTextOf,
} from "./mail-events/mail-event.ts";
export type { Attachment, AttachmentInfo } from "./messages/attachment.ts";
export { attemptNumbers } from "./messages/attempt-numbers.ts";
export { stateBeforeClaim } from "./messages/claim-decision.ts";
export {
  defaultLivesOf,
  expiresAtOf,
  type MessageLives,
  otpOf,
  startOf,
} from "./messages/default-life.ts";
export {
  type Attempt,
  type AttemptOutcome,
  type AttemptTimings,
  attemptOutcomes,
  type Delivery,
  type DeliveryOutcome,
  type ErrorClass,
  errorClasses,
  type Receipt,
  receiptEvents,
  type WaitReason,
  waitReasons,
} from "./messages/delivery.ts";
export {
  type ActionDecision,
  type ActionFacts,
  type ActionOrder,
  type ActionRefusal,
  type ActionRules,
  type Actor,
  type DeliveryActionRecord,
  decideAction,
} from "./messages/delivery-action.ts";
export {
  actionStates,
  type DeliveryFilter,
  type DeliveryJob,
  defaultActionStates,
  isForMessages,
  isJobOver,
  isNewerThanJob,
  type JobState,
  jobStates,
  type NewDeliveryJob,
  type SkipReason,
  skipReasons,
} from "./messages/delivery-job.ts";
export {
  type AttemptPart,
  type DeliveryPart,
  enoughReceipts,
  isNews,
  mergeReceipt,
  type PartState,
  partStates,
  receiptEventOfState,
  stateOfParts,
} from "./messages/delivery-part.ts";
export {
  type DeliveryAction,
  type DeliveryState,
  deliveryActions,
  deliveryStates,
  isCommonState,
  isFinal,
  isSettled,
  nextState,
  operatorTransitions,
} from "./messages/delivery-state.ts";
export {
  checkEmailOptions,
  type EmailOptionName,
  type EmailOptionNaming,
  type EmailOptionPorts,
  type EmailOptions,
  emailOptionLimits,
  emailOptionNames,
} from "./messages/email-options.ts";
export {
  type IdempotencyKey,
  type IdempotentRequest,
  maxIdempotencyKeyLength,
  parseIdempotencyKey,
} from "./messages/idempotency-key.ts";
export {
  type CheckedMail,
  checkAttachments,
  checkMail,
  type MailCheckOptions,
  type MailRequest,
  mailLimits,
} from "./messages/mail.ts";
export {
  type AudienceKind,
  audienceKinds,
  contentKinds,
  defaultPriority,
  type ExtraData,
  type Message,
  type MessageAttribute,
  type MessageClass,
  type MessageContent,
  type MessagePriority,
  type MessageRetries,
  type MessageTopic,
  maxLifeSeconds,
  maxMessageBytes,
  maxTimeToLiveSeconds,
  messageClasses,
  messagePriorities,
  type NewMessage,
  type RelatedObject,
  selectText,
  type TimeToLive,
} from "./messages/message.ts";
export {
  checkMessageAttributes,
  type MessageAttributeRequest,
} from "./messages/message-attributes.ts";
export {
  checkMessageOptions,
  checkRelatedObject,
  checkTag,
  type MessageOptionNames,
  type MessageOptions,
  messageOptionLimits,
} from "./messages/message-options.ts";
export {
  checkTopicUrns,
  handedOverPosition,
  maxTopics,
  minTopics,
  topicsOf,
  toTopic,
} from "./messages/message-topics.ts";
export {
  maxRecipients,
  type RecipientRequest,
} from "./messages/recipients.ts";
export {
  type SendErrorName,
  sendErrorNames,
  transientErrors,
} from "./messages/send-error.ts";
export {
  type SmsOptionNaming,
  type SmsOptions,
  type SmsParams,
  smsOptionLimits,
} from "./messages/sms-options.ts";
export type { OtherSubscription } from "./messages/subscriber-once.ts";
export {
  defaultUrgency,
  noticeUrgency,
  reportUrgency,
  takeByUrgency,
  type Urgency,
  type UrgencyOptions,
  urgencies,
  urgencyOf,
  urgentOnly,
} from "./messages/urgency.ts";
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
  type Change,
  type ChangeBatch,
  type ChangeFeed,
  type ChangePage,
  type ChangeRetention,
  type DeliveryChange,
  type DeliveryHead,
  type EventMessage,
  type FeedPosition,
  type MessageHead,
  type Occurrence,
  type OccurrenceType,
  occurrenceTypes,
  type TopicHead,
} from "./ports/change-feed.ts";
export {
  type AttemptResult,
  type AttemptSignals,
  type CarrierPolls,
  type Channel,
  type ChannelKind,
  type FailedResult,
  kindOf,
  type NoRoute,
  noChannelText,
  type PollAnswer,
  type PolledReceipt,
  type PreparedMessage,
  type PullChannel,
  type Recipient,
  type RefusedPart,
  type RouteChoice,
  type SuccessfulResult,
  type TriedAttempt,
} from "./ports/channel.ts";
export { type Clock, systemClock, type Timer } from "./ports/clock.ts";
export type { ContentSeal } from "./ports/content-seal.ts";
export {
  type Counter,
  type CounterAddition,
  type CounterChange,
  type CounterKind,
  type CounterRule,
  type CounterStore,
  counterKinds,
  type KeyedHash,
} from "./ports/counter-store.ts";
export type {
  ActionResult,
  ClaimedJob,
  DeliveryActionStore,
  JobStep,
  WalkLimits,
  WalkPosition,
} from "./ports/delivery-action-store.ts";
export type {
  DeliveryCheckStore,
  IdleRule,
} from "./ports/delivery-check-store.ts";
export type {
  DeliveryListener,
  WrittenDelivery,
} from "./ports/delivery-listener.ts";
export type {
  AcceptedMessage,
  ClaimedPoll,
  DeliveryStore,
  DirectRecipient,
  DuePolls,
  NextPoll,
  RangeLease,
  ReceiptSource,
} from "./ports/delivery-store.ts";
export type {
  DetectionBounds,
  DetectionStore,
  KeptDetection,
  NewDetection,
} from "./ports/detection-store.ts";
export type {
  Dispatcher,
  DispatchListener,
  Notice,
  WorkHint,
} from "./ports/dispatcher.ts";
export {
  type FailingEndpoint,
  type FailingEndpointStore,
  maxFailingEndpoints,
  type ProjectEndpoint,
} from "./ports/failing-endpoint-store.ts";
export type { HtmlCheck, HtmlProblem } from "./ports/html-check.ts";
export type {
  AcceptedAudience,
  AcceptedOnce,
  IdempotencyStore,
} from "./ports/idempotency-store.ts";
export type {
  AccessKey,
  Domain,
  IdentityStore,
  Project,
  Setting,
  SettingStore,
  TokenRecord,
  User,
  UserRole,
} from "./ports/identity-store.ts";
export type { InboundStore } from "./ports/inbound-store.ts";
export { type LogFields, type Logger, silentLogger } from "./ports/logger.ts";
export type {
  MailEventStore,
  MailOfPart,
  MailTarget,
  RecordedMailEvent,
  SuppressionKey,
} from "./ports/mail-event-store.ts";
export type { MailboxStore } from "./ports/mailbox-store.ts";
export type {
  ImportBatch,
  ImportedDelivery,
  ImportedMessage,
  ImportProgress,
  ImportResult,
  MessageImportStore,
} from "./ports/message-import-store.ts";
export {
  type DeadMessage,
  type EndedLeases,
  type LeaseKey,
  type LeaseRequest,
  type LegacyReceive,
  type MessageLease,
  type MessageQueueStore,
  maxEventsOfStream,
  type QueueOutcomes,
  type SettledMessage,
} from "./ports/message-queue-store.ts";
export type {
  MessageCancellation,
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
export type { PublisherStore } from "./ports/publisher-store.ts";
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
export {
  type AccessRecord,
  anyChange,
  type StoreChange,
  type StoreChanges,
} from "./ports/store-changes.ts";
export type {
  AcceptedStored,
  AcceptStoredOptions,
  ChangedObjects,
  StoredMessageStore,
  StoredPosition,
  StoredRecord,
  StoredRecordFilter,
  StoredRecordPage,
} from "./ports/stored-message-store.ts";
export type {
  DisallowedObject,
  DisallowedScope,
  StoredTemplateCondition,
  StoredTemplateKey,
  StoredTemplateStore,
  StoredTemplateSummary,
} from "./ports/stored-template-store.ts";
export type {
  AddedSubscription,
  NewSubscription,
  SubscriberNotice,
  SubscriptionChange,
  SubscriptionFilter,
  SubscriptionStore,
} from "./ports/subscription-store.ts";
export type { SubscriptionUserStore } from "./ports/subscription-user-store.ts";
export type {
  TemplateEngine,
  TemplateProblem,
  TemplateRenderOptions,
} from "./ports/template-engine.ts";
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
export type {
  AttemptIntent,
  AudienceRange,
  Backlog,
  ClaimedDelivery,
  ClaimedNotice,
  ClaimedRange,
  ClaimedWork,
  ClaimRequest,
  FencedOutcome,
  FinishedDeliveries,
  FinishedRange,
  FinishedWork,
  FinishReport,
  Lease,
  NextDue,
  RangeOutcome,
  ReclaimedWork,
  RefusedOutcome,
  ReleasedDelivery,
  ReleasedState,
  ReleasedWork,
  UnqueuedDelivery,
  WorkKind,
  WorkStore,
} from "./ports/work-store.ts";
export type { AccountSecrets } from "./pull/account.ts";
export {
  createMailboxes,
  type MailboxesPorts,
  type MailboxService,
} from "./pull/create-mailboxes.ts";
export { reasonNotQueued, reasonUnconfirmed } from "./pull/dead-letter.ts";
export { parseLeaseId, toLeaseId } from "./pull/lease-id.ts";
export {
  decideLegacyReceive,
  type LegacyMeaning,
  type LegacyReceiveFacts,
} from "./pull/legacy-receive.ts";
export {
  checkMailboxName,
  isMailboxName,
  type LegacyConfirm,
  legacyConfirmModes,
  type Mailbox,
  type MailboxAccount,
  type MailboxChange,
  type MailboxCounts,
  type MailboxRoom,
  mailboxNameForm,
  maxMailboxNameLength,
  maxMailboxQuota,
  type NewMailbox,
} from "./pull/mailbox.ts";
export {
  defaultPullSettings,
  type Mailboxes,
  type MailboxStream,
  type PulledMessage,
  type PullSettings,
  pullLimits,
  type ReceiveOptions,
  type SettledLeases,
  type StreamEnd,
  type StreamOptions,
  type StreamOutput,
} from "./pull/mailboxes.ts";
export {
  allCategories,
  type Category,
  type ListedCategory,
  maxCategoriesOfMessage,
  maxCategoriesOfPublisher,
  maxCategoryLength,
  type NewPullPublisher,
  type PullPublisher,
  type PullPublisherChange,
  type TopicUse,
  toCategoryNames,
} from "./pull/publisher.ts";
export {
  createPullPublishers,
  type PullPublishersPorts,
} from "./pull/publishers-service.ts";
export type {
  PublicationCounts,
  PullPublishers,
  WithSecret,
} from "./pull/pull-publishers.ts";
export type { Followed, PullSubscribers } from "./pull/pull-subscribers.ts";
export { type QueueEvent, queueEvents } from "./pull/queue-event.ts";
export {
  createPullSubscribers,
  type PullSubscribersOptions,
  type PullSubscribersPorts,
} from "./pull/subscribers-service.ts";
export { createReload } from "./reload.ts";
export {
  addToCounter,
  type ConfirmationWindow,
  cancelReasons,
  countConfirmation,
  decideClaim,
  failedByReceipt,
  failedByTimeout,
  type KeptCounter,
  lostAttempt,
  mayTryCode,
  mergeSenderData,
  mergeStates,
  refusedOutcome,
  toCounter,
  unfetchedError,
  unknownPollDelayMs,
  type WrongCodeKeys,
} from "./rules.ts";
export {
  type SettingChange,
  SharedSetting,
  watchSetting,
} from "./shared-setting.ts";
export { createSteadyClock } from "./steady-clock.ts";
export {
  type BatchMode,
  batchReasonOf,
  batchRetriesOf,
  batchTermsOf,
  type StoredProfile,
  storedProfiles,
} from "./stored/batch-mode.ts";
export {
  type BatchRun,
  type BatchSender,
  createBatchSender,
} from "./stored/batch-sender.ts";
export {
  type AccentLevel,
  accentLevels,
  checkAccents,
  cleanPhoneNumber,
  cleanText,
  type FitText,
} from "./stored/clean-up.ts";
export {
  createStoredMessages,
  type StoredMessagesPorts,
} from "./stored/create-stored-messages.ts";
export {
  createDeliveryChecks,
  type DeliveryCheck,
  type DeliveryCheckSettings,
  type DeliveryChecks,
} from "./stored/delivery-checks.ts";
export {
  type ImportRecord,
  type ImportState,
  importLimits,
  importStates,
} from "./stored/imported-message.ts";
export { IntervalTask } from "./stored/interval-task.ts";
export {
  createMessageImports,
  type ImportBatchRequest,
  type ImportBatchResult,
  type MessageImports,
  type SkippedRecord,
} from "./stored/message-imports.ts";
export { OutcomeWaits } from "./stored/outcome-waits.ts";
export {
  meetsCondition,
  type PymessState,
  type PymessStateName,
  pymessStateNames,
  type StateCondition,
} from "./stored/pymess-state.ts";
export {
  endReportWaits,
  type ReportDeadlinePorts,
} from "./stored/report-deadline.ts";
export type { SendChoice, SendTerms, TermsOf } from "./stored/send-terms.ts";
export {
  excerptLength,
  type StoredChannel,
  type StoredMessage,
  type StoredMessageSummary,
  type StoredRelatedObject,
  storedChannels,
} from "./stored/stored-message.ts";
export {
  type SendRefusal,
  type StoredBulkRequest,
  type StoredMessageActor,
  type StoredMessageFilter,
  type StoredMessageOptions,
  type StoredMessagePage,
  type StoredMessageRequest,
  type StoredMessages,
  type StoredPageRequest,
  type StoredTemplateRequest,
  sendRefusals,
  type TemplateSending,
} from "./stored/stored-messages.ts";
export {
  type StoredChannelRules,
  storedMessageLimits,
} from "./stored/stored-requests.ts";
export type {
  RenderedTemplate,
  StoredTemplate,
  TemplateRenderer,
} from "./stored/stored-templates.ts";
export {
  checkTemplateContext,
  type TemplateContext,
  templateContextLimits,
} from "./stored/template-context.ts";
export {
  checkStoredChannel,
  checkTemplateSlug,
  type StoredTemplateDraft,
  storedTemplateLimits,
  type TemplateMailRules,
} from "./stored/template-fields.ts";
export type { TemplateHooks } from "./stored/template-hooks.ts";
export type { MailTemplateOptions } from "./stored/template-rendering.ts";
export {
  createStoredTemplates,
  type SmsPreview,
  type StoredTemplatePorts,
  type StoredTemplates,
  type TemplatePreview,
} from "./stored/template-service.ts";
export type { ConfirmationLimit } from "./subscriptions/confirmation-limits.ts";
export {
  createDetections,
  type Detection,
  type DetectionResult,
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
export {
  maskMailAddress,
  maskPhoneNumber,
  maskText,
  maskUrl,
  maskUrlPath,
} from "./subscriptions/mask-endpoint.ts";
export {
  checkEndpoint,
  checkExtension,
  createProtocols,
  type ProblemWithText,
  type Protocol,
  type ProtocolDefinition,
  type Protocols,
  variantsOf,
} from "./subscriptions/protocol.ts";
export {
  defaultOverlapSeconds,
  keysAt,
  maxOverlapSeconds,
  type SignatureAlgorithm,
  type SignatureKey,
  type SignatureScheme,
  type SubscriptionSignature,
  signatureAlgorithms,
  signatureSchemes,
  smnSignature,
} from "./subscriptions/signature.ts";
export {
  claimNotice,
  noticeContent,
} from "./subscriptions/subscriber-notice.ts";
export {
  confirmationLifetimeMs,
  type ExtensionRequest,
  isCodeEnabled,
  refuseExtension,
  type Subscription,
  type SubscriptionExtension,
  type SubscriptionStatus,
  subscriptionStatus,
  toRecipient,
} from "./subscriptions/subscription.ts";
export {
  type ConfirmationGrant,
  isUnsubscribable,
  type SubscriptionGeneration,
  type SubscriptionTokens,
} from "./subscriptions/subscription-tokens.ts";
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
export type {
  MessageTemplate,
  MessageTemplateId,
  NewMessageTemplate,
  TemplateProtocol,
} from "./templates/template.ts";
export { createTemplates, type Templates } from "./templates/templates.ts";
export { checkStorable, fitsUtf8, isOneLine, toStorable } from "./text.ts";
export {
  addMs,
  type EpochMs,
  instantOf,
  isEpochMs,
  toEpochMs,
} from "./time.ts";
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
export {
  checkDisplayName,
  checkTopicName,
  type NewTopic,
  type Topic,
} from "./topics/topic.ts";
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
  formatTopicUrn,
  parseSubscriptionUrn,
  parseTopicUrn,
} from "./urn.ts";
