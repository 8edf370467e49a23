/**
 * The public surface of `@carillon/gateway`. Adapters for servers are apart:
 * `@carillon/gateway/node-http`, `/fastify` and `/express`.
 */

export {
  type Backend,
  type BackendContext,
  type BackendMessage,
  type BackendResult,
  type BackendState,
  type BackendStatus,
  backendStates,
  type CheckedState,
  checkedStates,
  type SentMessage,
} from "./backend/backend.ts";
export {
  type BackendErrors,
  backendErrors,
  toKnownError,
} from "./backend/backend-errors.ts";
export {
  BackendProvider,
  type BackendProviderOptions,
} from "./backend/backend-provider.ts";
export {
  type RecipientRouter,
  RouterError,
} from "./backend/recipient-router.ts";
export {
  type BackendClass,
  type BackendFactory,
  type BackendPorts,
  type ToProviderOptions,
  toProvider,
} from "./backend/to-provider.ts";
export { type Credentials, checkBasicAuthorization } from "./basic-auth.ts";
export {
  answerJson,
  answerText,
  answerXml,
  asObject,
  invalidAnswer,
  isSuccess,
  type JsonObject,
  toBalance,
} from "./carrier-answer.ts";
export { bytesPerChunk, ChunkCount, freeChunks } from "./chunk-count.ts";
export { type Clock, systemClock, type Timer } from "./clock.ts";
export { equalsConstantTime } from "./constant-time.ts";
export { Deadline } from "./deadline.ts";
export {
  type AnalyzeOptions,
  analyze,
  TextAnalysis,
} from "./encoding/analyze.ts";
export {
  type Encoding,
  partLimit,
  type ReferenceBits,
  singleLimit,
} from "./encoding/encoding.ts";
export { decodeGsm7, encodeGsm7 } from "./encoding/gsm7.ts";
export {
  type NormalizeOptions,
  normalizeText,
} from "./encoding/normalize.ts";
export { checkText, problemWithText } from "./encoding/sendable-text.ts";
export {
  fillBitsAfter,
  packSeptets,
  unpackSeptets,
} from "./encoding/septets.ts";
export { prepareText, type TextLimits } from "./encoding/text-limits.ts";
export {
  type FitLevel,
  fitText,
  stripToAscii,
  type TransliterateOptions,
  transliterate,
} from "./encoding/transliterate.ts";
export { decodeUcs2, encodeUcs2 } from "./encoding/ucs2.ts";
export {
  type Concatenation,
  encodeConcatenation,
  parseConcatenation,
  splitBinary,
} from "./encoding/user-data-header.ts";
export { meaningOf } from "./error-meaning.ts";
export {
  AuthError,
  ConfigurationError,
  CreditError,
  LimitsError,
  MessageSendError,
  ProviderConnectionError,
  ProviderError,
  type ProviderErrorOptions,
  ProviderPausedError,
  type RefusedPart,
  RemoteError,
  RequestError,
  ServerError,
  UnknownProviderError,
  UnsupportedError,
} from "./errors.ts";
export {
  type FetchHandler,
  type FetchHandlerContext,
  toFetchHandler,
} from "./fetch-handler.ts";
export {
  Gateway,
  type GatewayOptions,
} from "./gateway.ts";
export {
  Guard,
  type GuardedText,
  type GuardOptions,
  type GuardSummary,
  type HeldText,
  type SpendAlert,
  type SpendStatus,
} from "./guard/guard.ts";
export {
  type GuardAddition,
  type GuardCounters,
  MemoryGuardCounters,
  maxGuardKeys,
} from "./guard/guard-counters.ts";
export {
  defaultGuardRules,
  type GuardRules,
  limitsSpend,
} from "./guard/guard-rules.ts";
export type { AttemptContext } from "./guard/guarded-text.ts";
export type { HeldNumber } from "./guard/held-numbers.ts";
export {
  type HighRiskReason,
  highRiskCountries,
} from "./guard/high-risk-countries.ts";
export {
  HeldError,
  type Hold,
  type HoldReason,
  holdReasons,
} from "./guard/hold.ts";
export type { CountedText, SpendPeriod } from "./guard/limit-counts.ts";
export type { NumberTypeLookup } from "./guard/number-rules.ts";
export type { ErrorCount } from "./health/error-counts.ts";
export type { AttemptCounts } from "./health/minute-counts.ts";
export {
  type Latency,
  ProviderHealth,
  type ProviderHealthReport,
} from "./health/provider-health.ts";
export type { ReceiptCounts } from "./health/receipt-share.ts";
export {
  Hook,
  type HookAddOptions,
  type HookHandler,
  type HookIterateOptions,
  HookOverflowError,
} from "./hook.ts";
export {
  bodyText,
  createFetchHttpClient,
  type FailedRequest,
  type FetchHttpClientOptions,
  type HttpClient,
  type HttpClientOptions,
  type HttpRequest,
  type HttpResponse,
  notSent,
  originOf,
  toConnectionError,
} from "./http.ts";
export { errorFromHttpStatus } from "./http-status-error.ts";
export {
  IncomingMessage,
  type IncomingMessageInit,
} from "./incoming-message.ts";
export type { MessageRecord, RecordedObject } from "./message-record.ts";
export {
  MessageAccepted,
  MessageDelivered,
  MessageError,
  MessageExpired,
  type MessageState,
  MessageStatus,
  type MessageStatusInit,
  type MessageStatusKind,
} from "./message-status.ts";
export { createHttpClient } from "./node-http-client.ts";
export {
  createKeywordFinder,
  KEYWORD_LANGUAGES,
  type Keyword,
  type KeywordFamily,
  type KeywordFinder,
  type KeywordLanguage,
  type KeywordOptions,
} from "./opt-out/keywords.ts";
export { OptOut, type OptOutOptions } from "./opt-out/opt-out.ts";
export {
  MemoryOptOutStore,
  type OptOutEntry,
  type OptOutStore,
} from "./opt-out/store.ts";
export { SuppressedError } from "./opt-out/suppressed-error.ts";
export {
  type KnownState,
  type OptOutRule,
  type OtherOptions,
  OutgoingMessage,
  type OutgoingMessageConstructor,
  type OutgoingMessageJson,
  type ProviderChoice,
  type ProviderFailure,
  type ProviderOptions,
} from "./outgoing-message.ts";
export {
  digitsOnly,
  type E164,
  internationalDigits,
  isE164,
  type ToE164Options,
  toE164,
} from "./phone-number.ts";
export {
  AttemptRoute,
  type NoAttemptRoute,
  type TriedProvider,
} from "./policy/attempt-route.ts";
export type { BreakerState } from "./policy/breaker.ts";
export type { Router, RouterResult } from "./policy/choose-route.ts";
export { countryOf, isCountry } from "./policy/country.ts";
export {
  DeliveryPolicy,
  type DeliveryPolicyOptions,
  NoProviderAvailableError,
  type RouteCandidate,
  type RoutePlan,
} from "./policy/delivery-policy.ts";
export type {
  CandidateExplanation,
  EstimatedCost,
  Explanation,
} from "./policy/explain.ts";
export type { RuleVerdict } from "./policy/match-rule.ts";
export {
  type BreakerPolicy,
  type DeliveryPolicyData,
  type FailoverPolicy,
  type PolicyCondition,
  type PolicyProvider,
  type PolicyRule,
  parseDeliveryPolicy,
  problemsWithPolicy,
  problemWithPolicyProviders,
  type ReceiptFailoverPolicy,
} from "./policy/policy-data.ts";
export type { FailoverEvent } from "./policy/receipt-failover.ts";
export {
  parseRouteLine,
  printRouteLine,
  providersOf,
  RouteLineError,
  type RouteShare,
  type RouteTree,
} from "./policy/route-line.ts";
export {
  type Balance,
  type BatchContext,
  type Batching,
  Provider,
  type ProviderContext,
  type ProviderHost,
  type SendContext,
  type SendResult,
  type StartContext,
  type StatusPolling,
} from "./provider.ts";
export type { ProviderAttempt } from "./provider-sender.ts";
export {
  defineProviderType,
  type ProviderField,
  type ProviderType,
  type ProviderTypePorts,
  type SettingProblem,
} from "./provider-type.ts";
export type { AtsConfig } from "./providers/ats/config.ts";
export { AtsProvider } from "./providers/ats/provider.ts";
export type { AwsSnsConfig } from "./providers/aws-sns/config.ts";
export {
  AwsSnsProvider,
  type SnsSubscription,
} from "./providers/aws-sns/provider.ts";
export type { ClickatellConfig } from "./providers/clickatell/config.ts";
export { ClickatellProvider } from "./providers/clickatell/provider.ts";
export type { ClickatellHttpConfig } from "./providers/clickatell-http/config.ts";
export { ClickatellHttpProvider } from "./providers/clickatell-http/provider.ts";
export { ForwardClientProvider } from "./providers/forward/client-provider.ts";
export type {
  Forwardable,
  ForwardClientConfig,
  ForwardPeerConfig,
  ForwardServerConfig,
} from "./providers/forward/config.ts";
export * as jsonex from "./providers/forward/jsonex.ts";
export { ForwardServerProvider } from "./providers/forward/server-provider.ts";
export {
  JsonExDate,
  JsonExError,
  JsonExTime,
} from "./providers/forward/wire-values.ts";
export type { CarrierPage } from "./providers/http/page.ts";
export {
  HttpProvider,
  type HttpProviderConfig,
} from "./providers/http/provider.ts";
export type {
  LogProviderConfig,
  LogProviderLogger,
} from "./providers/log/config.ts";
export { LogProvider } from "./providers/log/provider.ts";
export {
  type LoopbackMessage,
  LoopbackProvider,
  type LoopbackSubscriber,
  type LoopbackTraffic,
} from "./providers/loopback/provider.ts";
export { NullProvider } from "./providers/null/provider.ts";
export { providerTypes } from "./providers/provider-types.ts";
export type { SmsOperatorConfig } from "./providers/sms-operator/config.ts";
export { SmsOperatorProvider } from "./providers/sms-operator/provider.ts";
export type { TwilioConfig } from "./providers/twilio/config.ts";
export { TwilioProvider } from "./providers/twilio/provider.ts";
export { BodyBuffer } from "./read-body.ts";
export {
  ForbiddenRequestError,
  MalformedRequestError,
  type Receiver,
  ReceiverError,
  type ReceiverRequest,
  type ReceiverResponse,
  type ReceiverRoute,
  textResponse,
  UnauthorizedRequestError,
} from "./receiver.ts";
export {
  createReceiverHandler,
  type ReceiverHandler,
  type ReceiverHandlerOptions,
} from "./receiver-handler.ts";
export {
  redact,
  secretsOfCredentials,
  secretsOfUrl,
} from "./redact.ts";
export { parseRetryAfter } from "./retry-after.ts";
export type { SenderData, SenderValue } from "./sender-data.ts";
