/** Public surface of `@carillon/channels`. */

export { type ChannelParts, channelList } from "./channel-list.ts";
export {
  type AddressClass,
  type Cidr,
  classifyAddress,
  parseCidr,
} from "./egress/address-class.ts";
export {
  createEgressConnector,
  type EgressConnector,
  type EgressConnectorOptions,
} from "./egress/egress-connector.ts";
export {
  type CheckUrlOptions,
  createEgressGuard,
  createReplaceableEgressGuard,
  type EgressGuard,
  type EgressGuardOptions,
  type EgressRefusal,
  EgressRefusedError,
  type ReplaceableEgressGuard,
  refusedPorts,
} from "./egress/egress-guard.ts";
export {
  createEgressHttpClient,
  type EgressHttpClient,
  type EgressHttpClientOptions,
} from "./egress/egress-http-client.ts";
export {
  createSystemResolver,
  type ResolveName,
  type SystemResolverOptions,
} from "./egress/name-resolver.ts";
export {
  createMailBackendChannel,
  type MailBackendChannelOptions,
} from "./email/backend-channel.ts";
export {
  createEmailChannel,
  type EmailChannelOptions,
  emailTimeoutMs,
  mandrillMetadata,
  type ReadAttachments,
} from "./email/channel.ts";
export { createDebugEmailChannel } from "./email/debug-channel.ts";
export type { DkimKey } from "./email/dkim-key.ts";
export { textOfHtml } from "./email/html-text.ts";
export type {
  MailBackend,
  MailBackendContext,
  MailBackendResult,
  MailFile,
  MailParty,
  OutgoingMail,
} from "./email/mail-backend.ts";
export { createSenderCheck } from "./email/mail-senders.ts";
export { emailProtocol } from "./email/protocol.ts";
export {
  createRoutedEmailChannel,
  type MailRouter,
  mailRouterTimeoutMs,
  type RoutedChannelOptions,
  type RoutedMail,
} from "./email/routed-channel.ts";
export type { SmtpTls, SmtpTlsMode } from "./email/smtp-tls.ts";
export {
  createSuppressingChannel,
  type FindSuppressions,
  suppressionKeyOf,
} from "./email/suppressing-channel.ts";
export { excerpt } from "./excerpt.ts";
export { createHttpChannel, type HttpChannelOptions } from "./http/channel.ts";
export { createHttpProbe, type HttpProbeOptions } from "./http/probe.ts";
export { httpProtocol, httpsProtocol } from "./http/protocol.ts";
export {
  type SignedFields,
  stringToSign,
  verifyFields,
} from "./http/signature.ts";
export {
  parseSigningCertificates,
  type Signature,
  type Signer,
  type SigningCertificate,
  SigningKeys,
  type SigningKeysOptions,
  type SigningSecrets,
  signingKeysSetting,
} from "./http/signing-key.ts";
export {
  type WebhookContent,
  WebhookKeys,
  type WebhookKeyText,
} from "./http/webhook-keys.ts";
export { LazyPart } from "./lazy-part.ts";
export { createLinks, type Links, type LinksOptions } from "./links.ts";
export { createPullChannel } from "./pull/channel.ts";
export {
  createReplaceableChannel,
  type ReplaceableChannel,
  type ReplaceableChannelOptions,
} from "./replaceable-channel.ts";
export {
  createSmsChannel,
  type SmsChannelOptions,
} from "./sms/channel.ts";
export { maxTextCharacters } from "./sms/content.ts";
export { smsProtocol } from "./sms/protocol.ts";
export { logUnknownStatus, receiptOfStatus } from "./sms/receipt.ts";
