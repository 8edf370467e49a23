/** What the in-memory store keeps, kind by kind: its schema. */

import {
  type AccessKey,
  type Attachment,
  type Attempt,
  type AudienceRange,
  type AuditEntry,
  attemptOutcomes,
  audienceKinds,
  type BindingData,
  type Category,
  type Change,
  type ConfirmationGrant,
  type ConfirmationWindow,
  type CounterKind,
  contentKinds,
  counterKinds,
  type DeliveryActionRecord,
  type DeliveryJob,
  type DeliveryOutcome,
  type DeliveryPart,
  type DisallowedObject,
  type Domain,
  deliveryActions,
  deliveryStates,
  type EmailSuppression,
  type EpochMs,
  errorClasses,
  type FailingEndpoint,
  type HourlyCount,
  type IdempotencyKey,
  type ImportProgress,
  type InboundMessage,
  jobStates,
  type KeptCounter,
  legacyConfirmModes,
  type Mailbox,
  type Message,
  type MessageContent,
  type MessageTemplate,
  type MessageTopic,
  mailEventKinds,
  messageClasses,
  type NewDetection,
  type NewMailEvent,
  type OptOutRecord,
  type Project,
  type ProjectId,
  type PullPublisher,
  partStates,
  type RangeOutcome,
  type Receipt,
  type Recipient,
  type RelatedObject,
  type ResourceTag,
  receiptEvents,
  type Setting,
  type StoredRelatedObject,
  type StoredTemplate,
  type StoredTemplateKey,
  type Subscription,
  type SubscriptionUser,
  storedChannels,
  suppressionReasons,
  type TokenRecord,
  type Topic,
  type TopicBinding,
  type Urgency,
  type User,
  type WalkPosition,
  waitReasons,
} from "@carillon/core";
import {
  bytes,
  type Columns,
  flag,
  integer,
  json,
  list,
  object,
  oneOf,
  optional,
  real,
  text,
} from "./columns.ts";

export const topicColumns: Columns<Topic> = {
  seq: integer,
  id: text,
  projectId: text,
  name: text,
  displayName: text,
  enterpriseProjectId: text,
  pushPolicy: integer,
  introduction: text,
  accessPolicy: text,
  createdAt: integer,
  updatedAt: integer,
};

/** A topic that was deleted: whom its ranges were for. */
export interface LastAudienceRow {
  readonly targets: readonly number[];
}

export const lastAudienceColumns: Columns<LastAudienceRow> = {
  targets: list(integer),
};

export const tagsColumns: Columns<{ tags: readonly ResourceTag[] }> = {
  tags: list(object<ResourceTag>({ key: text, value: text })),
};

export const subscriptionColumns: Columns<Subscription> = {
  seq: integer,
  id: text,
  topicSeq: integer,
  topicName: text,
  projectId: text,
  protocol: text,
  endpoint: text,
  remark: text,
  status: integer,
  extension: json,
  filterPolicies: optional(json),
  signature: optional(json),
  generation: integer,
  codeExpiresAt: optional(integer),
  createdAt: integer,
  mailbox: optional(integer),
};

/** A mailbox; its depth is counted where it is asked for. */
export interface MailboxRow extends Omit<Mailbox, "depth"> {
  /** When the last GET of the Notipy protocol found something leased. */
  readonly lastGetAt?: EpochMs;
  /** Streams that were opened. */
  readonly streams: number;
}

export const mailboxColumns: Columns<MailboxRow> = {
  seq: integer,
  id: text,
  projectId: text,
  name: text,
  secretHash: optional(text),
  quota: integer,
  legacyConfirm: oneOf(legacyConfirmModes),
  disabled: optional(flag),
  confirmsById: optional(flag),
  lastGetAt: optional(integer),
  streams: integer,
  createdAt: integer,
};

/** What is to be cancelled of what was in a mailbox; see the port. */
export interface WithdrawalRow {
  readonly mailbox: number;
  /** A subscription that was deleted; absent: the mailbox was. */
  readonly target?: number;
}

export const withdrawalColumns: Columns<WithdrawalRow> = {
  mailbox: integer,
  target: optional(integer),
};

export const publisherColumns: Columns<PullPublisher> = {
  seq: integer,
  id: text,
  projectId: text,
  name: text,
  secretHash: text,
  topicName: text,
  disabled: optional(flag),
  createdAt: integer,
};

/** A category, and the project of its publisher. */
export interface CategoryRow extends Category {
  readonly projectId: ProjectId;
}

export const categoryColumns: Columns<CategoryRow> = {
  publisherId: text,
  projectId: text,
  reference: text,
  topicName: text,
  createdAt: integer,
};

/** Confirmations of an endpoint. */
export interface ConfirmationRow {
  readonly windows: readonly ConfirmationWindow[];
}

export const confirmationColumns: Columns<ConfirmationRow> = { windows: json };

export const subscriptionUserColumns: Columns<SubscriptionUser> = {
  id: text,
  projectId: text,
  domainId: text,
  name: text,
  protocol: text,
  endpoint: text,
  remark: text,
  createdAt: integer,
};

export const templateColumns: Columns<MessageTemplate> = {
  seq: integer,
  id: text,
  projectId: text,
  name: text,
  protocol: text,
  content: text,
  tagNames: json,
  createdAt: integer,
  updatedAt: integer,
};

export const bindingColumns: Columns<
  TopicBinding & { data: BindingData[keyof BindingData] }
> = {
  id: text,
  topicId: text,
  data: json,
  createdAt: integer,
  updatedAt: integer,
};

const grant = object<ConfirmationGrant>({
  subscriptionId: text,
  generation: integer,
  expiresAt: integer,
});

const contentColumns: Readonly<
  Record<MessageContent["kind"], (content: unknown) => unknown>
> = {
  text: object({ kind: text, text }),
  structure: object({ kind: text, variants: json }),
  confirmation: object({ kind: text, grant, byCode: optional(flag) }),
  unsubscription: object({ kind: text, grant }),
  event: object({ kind: text, text }),
  mail: object({ kind: text, text, html: text }),
};

const messageTopic = object<MessageTopic>({
  seq: integer,
  urn: text,
  name: text,
  displayName: text,
  introduction: text,
});

export const messageColumns: Columns<Message> = {
  seq: integer,
  id: text,
  projectId: text,
  audience: oneOf(audienceKinds),
  topic: optional(messageTopic),
  topics: optional(list(messageTopic)),
  subject: optional(text),
  content(value) {
    const { kind } = object({ kind: oneOf(contentKinds) })(
      value,
      // The column has just said so.
    ) as Pick<MessageContent, "kind">;
    return contentColumns[kind](value);
  },
  sealedBy: optional(text),
  attributes: optional(json),
  createdAt: integer,
  notBefore: optional(integer),
  expiresAt: integer,
  timeToLiveSeconds: optional(json),
  class: optional(oneOf(messageClasses)),
  tag: optional(text),
  orderingKey: optional(text),
  relatedObjects: optional(
    list(object<RelatedObject>({ type: text, id: text })),
  ),
  sms: optional(json),
  email: optional(json),
  attachmentBytes: optional(integer),
  templateSlug: optional(text),
  priority: optional(integer),
  retries: optional(oneOf(["batch", "none"])),
  extraData: optional(json),
  statusUrl: optional(text),
};

export const idempotencyKeyColumns: Columns<IdempotencyKey> = {
  projectId: text,
  key: text,
  fingerprint: text,
  requestId: text,
  messageId: text,
  expiresAt: integer,
};

export type RecipientRow = Pick<Recipient, "protocol" | "endpoint">;

export const recipientColumns: Columns<RecipientRow> = {
  protocol: text,
  endpoint: text,
};

/** Files of a message. */
export interface AttachmentsRow {
  readonly files: readonly Attachment[];
}

export const attachmentsColumns: Columns<AttachmentsRow> = {
  files: list(
    object<Attachment>({
      name: text,
      contentType: text,
      contentId: optional(text),
      content: bytes,
    }),
  ),
};

/** What a message is about, where that was changed or imported. */
export interface RelationsRow {
  readonly objects: readonly StoredRelatedObject[];
  /** Absent: they were imported, and are as they were. */
  readonly changedAt?: EpochMs;
}

export const relationsColumns: Columns<RelationsRow> = {
  objects: list(
    object<StoredRelatedObject>({
      type: text,
      id: text,
      createdAt: integer,
      changedAt: integer,
    }),
  ),
  changedAt: optional(integer),
};

export const importColumns: Columns<ImportProgress> = {
  position: text,
  imported: integer,
  skipped: integer,
  startedAt: integer,
  changedAt: integer,
};

/** A transaction's part of the change feed. */
export interface ChangeRow {
  readonly seq: number;
  readonly at: EpochMs;
  readonly changes: readonly Change[];
}

export const changeColumns: Columns<ChangeRow> = {
  seq: integer,
  at: integer,
  changes: json,
};

/** How far a durable consumer has read. */
export interface ChangeConsumerRow {
  readonly position: number;
  readonly hold?: Hold;
}

/** Who holds a row, and until when in the clock's monotonic time. */
export interface Hold {
  readonly owner: string;
  readonly until: number;
}

const hold = optional(object<Hold>({ owner: text, until: real }));

export const changeConsumerColumns: Columns<ChangeConsumerRow> = {
  position: integer,
  hold,
};

export interface RangeRow extends AudienceRange {
  readonly dueAt: EpochMs;
  readonly hold?: Hold;
}

export const rangeColumns: Columns<RangeRow> = {
  messageSeq: integer,
  topicSeq: integer,
  topicPosition: optional(integer),
  afterTarget: integer,
  uptoTarget: optional(integer),
  dueAt: integer,
  fence: integer,
  hold,
};

/** That a whole message was cancelled. */
export interface CancelledMessageRow {
  readonly at: EpochMs;
  readonly jobSeq: number;
}

export const cancelledMessageColumns: Columns<CancelledMessageRow> = {
  at: integer,
  jobSeq: integer,
};

export function rangeKey({
  messageSeq,
  topicSeq,
  afterTarget,
}: Pick<AudienceRange, "messageSeq" | "topicSeq" | "afterTarget">): string {
  return `${messageSeq}/${topicSeq}/${afterTarget}`;
}

/** A delivery in a mailbox; dead when it is `failed`. */
export interface QueuedDelivery extends NonNullable<RangeOutcome["pull"]> {
  /** When its lease ends, or its delay. */
  readonly until?: EpochMs;
  /** Of a leased one that went to a stream. */
  readonly eventId?: number;
}

export interface DeliveryRow extends Omit<DeliveryOutcome, "parts"> {
  readonly billable: boolean;
  readonly round?: number;
  /** Of those that their subscribers fetch, until they are settled and not dead. */
  readonly pull?: QueuedDelivery;
  readonly fence: number;
  /** While an attempt is under way. */
  readonly hold?: Hold;
  readonly earlierAttempts: readonly Attempt[];
  /** When the attempt under way began, if it costs money. */
  readonly attemptAt?: EpochMs;
  /** Its id at the carrier, where we choose it. */
  readonly attemptExternalId?: string;
  /** Of all attempts, oldest first. */
  readonly parts: readonly DeliveryPart[];
  readonly receipts: readonly Receipt[];
  readonly actions: readonly DeliveryActionRecord[];
  /** The end of the life that a resend gave it. */
  readonly expiresAt?: EpochMs;
  /** Attempts made before the last resend. */
  readonly resentAfter?: number;
  readonly urgency: Urgency;
}

export function deliveryKey({
  messageSeq,
  target,
}: Pick<DeliveryOutcome, "messageSeq" | "target">): string {
  return `${messageSeq}/${target}`;
}

const attempt = object<Attempt>({
  at: integer,
  durationMs: integer,
  statusCode: optional(integer),
  errorClass: optional(oneOf(errorClasses)),
  error: optional(text),
  provider: optional(text),
  outcome: optional(oneOf(attemptOutcomes)),
  queuedMs: optional(integer),
  dnsMs: optional(integer),
  connectMs: optional(integer),
  tlsMs: optional(integer),
  firstByteMs: optional(integer),
});

export const receiptColumns: Columns<Receipt> = {
  entry: text,
  externalId: text,
  event: oneOf(receiptEvents),
  at: integer,
  code: optional(text),
  text: optional(text),
};

export const deliveryColumns: Columns<DeliveryRow> = {
  messageSeq: integer,
  target: integer,
  state: oneOf(deliveryStates),
  attempts: integer,
  lastAttempt: optional(attempt),
  nextAttemptAt: optional(integer),
  waitReason: optional(oneOf(waitReasons)),
  provider: optional(text),
  segments: optional(integer),
  senderData: optional(json),
  receiptExpected: optional(flag),
  pollAt: optional(integer),
  failsOver: optional(flag),
  idleFrom: optional(integer),
  attemptAt: optional(integer),
  attemptExternalId: optional(text),
  billable: flag,
  round: optional(integer),
  pull: optional(
    object<QueuedDelivery>({
      mailbox: integer,
      expiresAt: integer,
      orderingKey: optional(text),
      until: optional(integer),
      eventId: optional(integer),
    }),
  ),
  fence: integer,
  hold,
  earlierAttempts: list(attempt),
  parts: list(
    object<DeliveryPart>({
      attempt: integer,
      entry: text,
      externalId: text,
      state: oneOf(partStates),
    }),
  ),
  receipts: list(object(receiptColumns)),
  actions: list(
    object<DeliveryActionRecord>({
      at: integer,
      action: oneOf(deliveryActions),
      from: oneOf(deliveryStates),
      to: oneOf(deliveryStates),
      userId: text,
      userName: text,
      reason: optional(text),
      jobId: optional(text),
    }),
  ),
  expiresAt: optional(integer),
  resentAfter: optional(integer),
  urgency: integer,
};

export interface JobRow extends DeliveryJob {
  readonly position: WalkPosition;
  readonly fence: number;
  readonly hold?: Hold;
}

export const jobColumns: Columns<JobRow> = {
  seq: integer,
  id: text,
  projectId: text,
  action: oneOf(deliveryActions),
  filter: json,
  cancelledMessage: optional(integer),
  shownFilter: json,
  timeToLiveSeconds: optional(integer),
  reason: text,
  userId: text,
  userName: text,
  total: integer,
  isTotalExact: flag,
  createdAt: integer,
  state: oneOf(jobStates),
  done: integer,
  changed: integer,
  messages: integer,
  skipped: json,
  startedAt: optional(integer),
  finishedAt: optional(integer),
  error: optional(text),
  position: json,
  fence: integer,
  hold,
};

export const statisticsColumns: Columns<HourlyCount & { topicSeq: number }> = {
  topicSeq: integer,
  hour: integer,
  protocol: text,
  state: oneOf(deliveryStates),
  count: integer,
};

export const inboundColumns: Columns<InboundMessage> = {
  seq: integer,
  id: text,
  projectId: text,
  provider: text,
  externalId: optional(text),
  from: text,
  to: optional(text),
  text,
  keyword: optional(text),
  receivedAt: integer,
  messageId: optional(text),
};

const attachmentColumns: Columns<Attachment> = {
  name: text,
  contentType: text,
  contentId: optional(text),
  content: bytes,
};

/** A template of stored messages, and whose it is. */
export interface StoredTemplateRow extends StoredTemplate {
  readonly projectId: ProjectId;
}

export const storedTemplateColumns: Columns<StoredTemplateRow> = {
  projectId: text,
  channel: oneOf(storedChannels),
  slug: text,
  body: text,
  isActive: flag,
  isLocked: flag,
  allowsDuplicates: flag,
  isStrict: flag,
  subject: optional(text),
  isHtml: optional(flag),
  sender: optional(text),
  senderName: optional(text),
  attachments: optional(list(object(attachmentColumns))),
  createdAt: integer,
  changedAt: integer,
};

/** Without a slug: of all templates of the channel. */
export interface DisallowedRow extends DisallowedObject, StoredTemplateKey {
  readonly projectId: ProjectId;
}

export const disallowedColumns: Columns<DisallowedRow> = {
  projectId: text,
  channel: oneOf(storedChannels),
  slug: text,
  type: text,
  id: text,
  createdAt: integer,
};

export const optOutColumns: Columns<OptOutRecord> = {
  recipient: text,
  sender: optional(text),
  keyword: text,
  at: integer,
};

export const mailEventColumns: Columns<NewMailEvent> = {
  messageSeq: integer,
  target: integer,
  projectId: text,
  entry: text,
  externalId: text,
  suppressionKey: text,
  fingerprint: text,
  event: oneOf(mailEventKinds),
  hard: optional(flag),
  at: integer,
  receivedAt: integer,
  recipient: optional(text),
  code: optional(text),
  diagnostic: optional(text),
  raw: optional(text),
};

export const emailSuppressionColumns: Columns<EmailSuppression> = {
  projectId: text,
  key: text,
  address: text,
  reason: oneOf(suppressionReasons),
  detail: optional(text),
  at: integer,
  deliveryId: optional(text),
  count: integer,
};

export const failingEndpointColumns: Columns<FailingEndpoint> = {
  projectId: text,
  protocol: text,
  endpoint: text,
  since: integer,
};

const disabled = optional(flag);

export const domainColumns: Columns<Domain> = {
  id: text,
  name: text,
  disabled,
};

export const projectColumns: Columns<Project> = {
  id: text,
  name: text,
  domainId: text,
  disabled,
};

export const userColumns: Columns<User> = {
  id: text,
  name: text,
  domainId: text,
  passwordHash: text,
  role: text,
  projectIds: list(text),
  disabled,
};

export const accessKeyColumns: Columns<AccessKey> = {
  accessKey: text,
  encryptedSecret: text,
  userId: text,
  projectId: text,
  createdAt: integer,
  disabled,
};

export const identityTokenColumns: Columns<TokenRecord> = {
  hash: text,
  userId: text,
  projectId: optional(text),
  domainId: optional(text),
  methods: json,
  issuedAt: integer,
  expiresAt: integer,
  firstHash: optional(text),
};

export const settingColumns: Columns<Setting> = {
  value: text,
  version: integer,
};

export interface CounterRow extends KeptCounter {
  readonly kind: CounterKind;
}

export const counterColumns: Columns<CounterRow> = {
  kind: oneOf(counterKinds),
  count: integer,
  lastAt: integer,
  endsAt: integer,
};

export interface DetectionRow extends NewDetection {
  readonly begunAt: EpochMs;
  readonly endsAt: EpochMs;
}

export const detectionColumns: Columns<DetectionRow> = {
  id: text,
  projectId: text,
  topicUrn: text,
  result: optional(json),
  begunAt: integer,
  endsAt: integer,
};

/** Of domains, projects, users and access keys together. */
export interface IdentityVersionRow {
  readonly version: number;
}

export const identityVersionColumns: Columns<IdentityVersionRow> = {
  version: integer,
};

export const auditColumns: Columns<AuditEntry> = {
  seq: integer,
  at: integer,
  action: text,
  count: integer,
  userId: optional(text),
  userName: optional(text),
  domainId: optional(text),
  target: optional(text),
  details: optional(json),
  address: optional(text),
  requestId: optional(text),
};
