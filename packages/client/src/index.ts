/** Public surface of `@carillon/client`. */

export type { AccessKeyOptions } from "./auth/access-key.ts";
export type { AccountOptions } from "./auth/account.ts";
export type { PasswordOptions } from "./auth/password.ts";
export type { TokenOptions } from "./auth/token.ts";
export type {
  AccessKey,
  AccessKeys,
  AccessKeyWithSecret,
  NewAccessKey,
} from "./carillon/access-keys.ts";
export type { Accounts, WithSecret } from "./carillon/accounts.ts";
export type { Attachment } from "./carillon/attachments.ts";
export type { Audit, AuditEntry, AuditQuery } from "./carillon/audit.ts";
export type {
  Batches,
  BatchRun,
  DeliveryCheck,
} from "./carillon/batches.ts";
export type { Caller, Carillon } from "./carillon/carillon.ts";
export type {
  Certificate,
  Certificates,
  RotatedCertificate,
} from "./carillon/certificates.ts";
export type {
  Configuration,
  ReloadedConfiguration,
} from "./carillon/configuration.ts";
export type {
  ActionReason,
  Deliveries,
  MailEvent,
  ResendOptions,
  Settlement,
} from "./carillon/deliveries.ts";
export {
  type DeliveryCount,
  type DeliveryFilter,
  type DeliveryJob,
  type DeliveryJobs,
  errorClasses,
  type JobAction,
  type NewDeliveryJob,
} from "./carillon/delivery-jobs.ts";
export type { Domain, Domains, NewDomain } from "./carillon/domains.ts";
export type {
  EmailSuppression,
  EmailSuppressionQuery,
  EmailSuppressions,
  NewEmailSuppression,
  SuppressionReason,
} from "./carillon/email-suppressions.ts";
export type {
  EmailContent,
  EmailOptions,
  EmailSettings,
  Emails,
  EmailTemplateSettings,
} from "./carillon/emails.ts";
export type { CarillonEvent, EventQuery } from "./carillon/events.ts";
export type {
  GuardQuery,
  GuardReport,
  Guards,
  HeldNumber,
  HeldTexts,
  Spend,
} from "./carillon/guards.ts";
export type {
  Import,
  ImportBatch,
  ImportBatchResult,
  ImportRecord,
  Imports,
} from "./carillon/imports.ts";
export type {
  Inbound,
  InboundMessage,
  InboundQuery,
} from "./carillon/inbound.ts";
export type { Instant } from "./carillon/instant-text.ts";
export type { Key, Keys, NewKey } from "./carillon/keys.ts";
export type {
  Audience,
  DirectRecipient,
  MessageToPublish,
  PublishSettings,
  RelatedObject,
  SmsOptions,
} from "./carillon/message-to-publish.ts";
export {
  type Attempt,
  type Delivery,
  type DeliveryActionRecord,
  type DeliveryPart,
  type DeliveryQuery,
  type DeliveryReceipt,
  type DeliveryState,
  deliveryStates,
  type MessageCancellation,
  type MessageQuery,
  type MessageReport,
  type Messages,
  type Published,
} from "./carillon/messages.ts";
export type { CarillonRequest } from "./carillon/operation-path.ts";
export type {
  NewOptOut,
  OptOut,
  OptOutQuery,
  OptOuts,
} from "./carillon/opt-outs.ts";
export type { NewProject, Project, Projects } from "./carillon/projects.ts";
export type {
  AttemptCounts,
  ProviderBalance,
  ProviderCallback,
  ProviderDetails,
  ProviderFailures,
  ProviderPause,
  ProviderReports,
  ProviderSummary,
  Providers,
  ProviderTest,
  ResumedProvider,
} from "./carillon/providers.ts";
export type {
  Category,
  NewCategory,
  NewPublisher,
  Publishers,
  PullPublisher,
} from "./carillon/publishers.ts";
export type { Resources, Switch } from "./carillon/resources.ts";
export type {
  Sandbox,
  SandboxAttachment,
  SandboxMail,
  SandboxQuery,
  SandboxRequest,
  SandboxText,
} from "./carillon/sandbox.ts";
export type {
  NewSignedSubscription,
  Signature,
  SignatureChoice,
  SignatureKey,
  SignatureRotation,
  Signatures,
  SignedSubscription,
} from "./carillon/signatures.ts";
export type {
  ExplainedText,
  RuleVerdict,
  Sms,
  SmsContent,
  SmsSettings,
  SmsTemplateSettings,
  TextCandidate,
  TextCost,
  TextToExplain,
} from "./carillon/sms.ts";
export type {
  AttachmentInfo,
  BulkMessage,
  RelatedObjects,
  SendRefusal,
  StoredMessage,
  StoredMessageQuery,
  StoredMessageSummary,
  StoredMessages,
  StoredRecipient,
  StoredRelatedObject,
  StoredSettings,
  TemplateSending,
  TemplateSettings,
} from "./carillon/stored-messages.ts";
export { pymessStates } from "./carillon/stored-messages.ts";
export {
  type Followed,
  type FollowRequest,
  type LegacyConfirm,
  legacyConfirmModes,
  type MailboxCounts,
  type NewSubscriber,
  type PullSubscriber,
  type SubscriberChange,
  type SubscriberSettings,
  type Subscribers,
} from "./carillon/subscribers.ts";
export type { Subscriptions } from "./carillon/subscriptions.ts";
export type {
  CanSend,
  DisallowedObject,
  DisallowedScope,
  NewStoredTemplate,
  StoredTemplate,
  StoredTemplateSummary,
  StoredTemplates,
  TemplateChannel,
  TemplateObject,
  TemplatePreview,
} from "./carillon/templates.ts";
export type {
  NewUser,
  User,
  UserChange,
  Users,
  UserWithPassword,
} from "./carillon/users.ts";
export {
  type Connection,
  type ConnectionSettings,
  type ConnectOptions,
  connect,
} from "./connection.ts";
export {
  AccountError,
  AuthenticationError,
  BadRequestError,
  CatalogueError,
  CertificateRefusedError,
  CertificateUnavailableError,
  ConnectionError,
  DuplicateResourceError,
  errorCodes,
  FailedToConfirmMessageError,
  FailedToReceiveMessageError,
  FailedToSendMessageError,
  ForbiddenError,
  InvalidCertificateError,
  InvalidCredentialsError,
  InvalidOptionsError,
  InvalidResponseError,
  NotificationError,
  type NotificationFault,
  RequestTimeoutError,
  ResourceNotFoundError,
  ResponseError,
  ServerError,
  SmnError,
  type SmnErrorCode,
  ThrottledError,
} from "./errors.ts";
export type { FollowOptions } from "./followed-stream.ts";
export type { JsonObject } from "./json.ts";
export type { PagingOptions } from "./paging.ts";
export type { AccountSettings } from "./pull/account-apis.ts";
export type {
  Categories,
  CategoryMessage,
  Publication,
} from "./pull/category-message.ts";
export type {
  LeaseReference,
  Leases,
  NackOptions,
  SettledLeases,
  SettleOptions,
} from "./pull/leases.ts";
export { Message } from "./pull/message.ts";
export type { StreamOptions } from "./pull/message-stream.ts";
export type {
  CallbackOptions,
  Polling,
  PollOptions,
} from "./pull/polling.ts";
export { PublicationResponse } from "./pull/publication.ts";
export { Publisher } from "./pull/publisher.ts";
export type {
  DeadMessage,
  DeadMessageOptions,
  PullQueue,
  ReceiveOptions,
} from "./pull/pull-queue.ts";
export type { PulledMessage } from "./pull/pulled-message.ts";
export { Subscriber, type SubscriberOptions } from "./pull/subscriber.ts";
export {
  type CertificateFetcherOptions,
  createCertificateFetcher,
  type FetchCertificate,
} from "./receiver/certificate-fetcher.ts";
export {
  type ConfirmOptions,
  confirmSubscription,
} from "./receiver/confirm.ts";
export type {
  Notification,
  NotificationBody,
  ReceivedMessage,
  SubscriptionConfirmation,
  UnsubscribeConfirmation,
} from "./receiver/notification.ts";
export { type VerifyOptions, verifyNotification } from "./receiver/verify.ts";
export {
  verifyWebhook,
  type WebhookHeaders,
  type WebhookOptions,
} from "./receiver/webhook.ts";
export type { RetryOptions } from "./retry.ts";
export type {
  MessageAttribute,
  MessageOperations,
  MessageStructure,
  NewMessage,
  PublishedMessage,
} from "./smn/messages.ts";
export type { DeleteOptions, FindOptions } from "./smn/missing.ts";
export type {
  SubscriptionReference,
  TemplateReference,
  TopicReference,
} from "./smn/references.ts";
export type { Smn } from "./smn/smn.ts";
export {
  type ConfirmedSubscription,
  type CreatedSubscription,
  type FilterPolicy,
  type NewSubscription,
  type Protocol,
  type Subscription,
  type SubscriptionExtension,
  type SubscriptionOperations,
  type SubscriptionQuery,
  subscriptionStatus,
} from "./smn/subscriptions.ts";
export type {
  CreatedTemplate,
  FindTemplateOptions,
  NewTemplate,
  Template,
  TemplateChange,
  TemplateDetail,
  TemplateOperations,
  TemplateProtocol,
  TemplateQuery,
  UpdatedTemplate,
} from "./smn/templates.ts";
export type {
  TopicAttributeChange,
  TopicAttributeName,
  TopicAttributeOperations,
  TopicAttributes,
  TopicAttributesQuery,
} from "./smn/topic-attributes.ts";
export type {
  CreatedTopic,
  NewTopic,
  Topic,
  TopicChange,
  TopicOperations,
  TopicQuery,
  UpdatedTopic,
} from "./smn/topics.ts";
export type {
  HttpMethod,
  PublishOptions,
  RequestOptions,
} from "./transport.ts";
