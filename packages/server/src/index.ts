/** Public surface of `@carillon/server`. */

export {
  CarillonError,
  type LogFields,
  type Logger,
  maskText,
  type TemplateEngine,
  type TemplateHooks,
} from "@carillon/core";
export type { RecipientRouter } from "@carillon/gateway";
export { findOpenToOthers, type OpenToOthers } from "@carillon/storage";
export { BackupError, type BackupProblem } from "./backup/backup-error.ts";
export type {
  BackupManifest,
  BackupOptions,
  BackupProgress,
} from "./backup/backup-file.ts";
export {
  type CreateBackupOptions,
  type CreatedBackup,
  createBackup,
} from "./backup/create-backup.ts";
export {
  type RestoreBackupOptions,
  type RestoredBackup,
  restoreBackup,
} from "./backup/restore-backup.ts";
export {
  type Config,
  type ConfigSources,
  isLoopback,
  loadConfig,
  type ResolvedConfig,
  resolveConfig,
  type Setting,
} from "./config.ts";
export { ConfigError, type ConfigMistake } from "./config-error.ts";
export type { ReloadedConfig } from "./config-reload.ts";
export {
  type ConfigKey,
  configGroups,
  listConfigKeys,
} from "./config-schema.ts";
export { shownValue } from "./config-settings.ts";
export {
  type Credentials,
  credentialsFileName,
  readCredentialsFile,
} from "./credentials-file.ts";
export type { FirstCredentials } from "./credentials-keeper.ts";
export { type DataInspection, inspectData } from "./data-inspection.ts";
export {
  type DkimRecord,
  dkimRecordOf,
  toConfiguredEmail,
} from "./email-channel.ts";
export type {
  Carillon,
  ReceiverFetch,
  TopicPublication,
} from "./embed/carillon.ts";
export type {
  GivenProvider,
  NamelessProviderSettings,
} from "./embed/given-providers.ts";
export type {
  AttachmentRecord,
  AttemptRecord,
  MessageRecord,
  ReceiptRecord,
  RelatedObjectRecord,
} from "./embed/message-record.ts";
export type {
  MailAddresses,
  MailAttachment,
  MailContent,
  MailOptions,
  MessageQuery,
  RelatedObjectKey,
  SendOptions,
  TemplateContent,
  TextContent,
  TextOptions,
} from "./embed/message-requests.ts";
export type {
  BatchReport,
  DeliveryCheckReport,
  OwnBatches,
  OwnDeliveryChecks,
} from "./embed/own-batches.ts";
export type {
  MessageRecordPage,
  OwnMessages,
  OwnRelatedObjects,
} from "./embed/own-messages.ts";
export type {
  OwnTemplates,
  TemplateDraft,
  TemplateRecord,
  TemplateRendering,
  TemplateSummary,
} from "./embed/own-templates.ts";
export { RequestError, type RequestErrorCode } from "./errors.ts";
export {
  type BootstrapOptions,
  type BootstrapPorts,
  type BootstrapResult,
  bootstrapIdentity,
  type IdentityCredentials,
  type IdentityPresets,
} from "./identity/bootstrap.ts";
export {
  createIdentity,
  type Identity,
  type IdentityPorts,
} from "./identity/identity.ts";
export { createHashLimit } from "./identity/passwords.ts";
export type { Principal } from "./identity/principal.ts";
export {
  type FileSettings,
  type OpenOptions,
  open,
  type ProviderSettings,
  type Settings,
} from "./open.ts";
export {
  type Recovered,
  type RecoverOptions,
  recoverOperator,
} from "./recover.ts";
export { createSandbox, type Sandbox } from "./sandbox/sandbox.ts";
export { type ServeOptions, type Server, serve } from "./serve.ts";
export { version } from "./version.ts";
