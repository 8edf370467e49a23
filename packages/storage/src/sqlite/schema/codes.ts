/**
 * The integers that stand for names in the tables. They are on disk: a number
 * is never changed or given to another name.
 */

import type {
  AttemptOutcome,
  AudienceKind,
  BindingKind,
  DeliveryAction,
  DeliveryState,
  ErrorClass,
  JobState,
  LegacyConfirm,
  MailEventKind,
  MessageClass,
  MessageContent,
  PartState,
  Receipt,
  SuppressionReason,
  WaitReason,
} from "@carillon/core";

type Codes<Name extends string> = Readonly<Record<Name, number>>;

export const stateCodes = {
  waiting: 0,
  sending: 1,
  retrying: 2,
  unknown: 3,
  sent: 4,
  delivered: 5,
  failed: 6,
  rejected: 7,
  debug: 8,
  filtered: 9,
  suppressed: 10,
  expired: 11,
  cancelled: 12,
} as const satisfies Codes<DeliveryState>;

export const waitReasonCodes = {
  paused: 0,
  sms_batch: 1,
  email_batch: 2,
} as const satisfies Codes<WaitReason>;

export const audienceCodes = {
  topic: 0,
  subscription: 1,
  direct: 2,
  topics: 3,
} as const satisfies Codes<AudienceKind>;

export const contentCodes = {
  text: 0,
  structure: 1,
  confirmation: 2,
  unsubscription: 3,
  event: 4,
  mail: 5,
} as const satisfies Codes<MessageContent["kind"]>;

export const messageClassCodes = {
  otp: 0,
  transactional: 1,
  bulk: 2,
} as const satisfies Codes<MessageClass>;

export const bindingCodes = {
  logtank: 0,
  kms: 1,
  notifyPolicy: 2,
} as const satisfies Codes<BindingKind>;

export const errorClassCodes = {
  http_status: 0,
  timeout: 1,
  unreachable: 2,
  egress_refused: 3,
  smtp: 4,
  provider: 5,
  lane_full: 6,
  no_channel: 7,
  expired: 8,
  interrupted: 9,
  internal: 10,
  filtered: 11,
  guard: 12,
  mailbox: 13,
} as const satisfies Codes<ErrorClass>;

export const attemptOutcomeCodes = {
  accepted: 0,
  delivered: 1,
  simulated: 2,
  deferred: 3,
  rejected: 4,
  unknown: 5,
  suppressed: 6,
  failed: 7,
} as const satisfies Codes<AttemptOutcome>;

export const partStateCodes = {
  sent: 0,
  delivered: 1,
  failed: 2,
  rejected: 3,
  expired: 4,
} as const satisfies Codes<PartState>;

export const receiptEventCodes = {
  accept: 0,
  deliver: 1,
  expire: 2,
  reject: 3,
  fail: 4,
} as const satisfies Codes<Receipt["event"]>;

export const actionCodes = {
  resend: 0,
  cancel: 1,
  settle_resend: 2,
  settle_failed: 3,
  settle_delivered: 4,
} as const satisfies Codes<DeliveryAction>;

export const jobStateCodes = {
  queued: 0,
  running: 1,
  done: 2,
  cancelled: 3,
  failed: 4,
} as const satisfies Codes<JobState>;

export const mailEventCodes = {
  delivered: 0,
  deferred: 1,
  bounced: 2,
  rejected: 3,
  complained: 4,
} as const satisfies Codes<MailEventKind>;

export const suppressionReasonCodes = {
  bounced: 0,
  complained: 1,
  manual: 2,
} as const satisfies Codes<SuppressionReason>;

export const legacyConfirmCodes = {
  auto: 0,
  on: 1,
  off: 2,
} as const satisfies Codes<LegacyConfirm>;

/** Where a delivery stands in its mailbox. */
export const queueStates = {
  ready: 1,
  /** Leased, or delayed: its state says which. */
  leased: 2,
  /** An earlier one of its ordering key comes first. */
  blocked: 3,
  dead: 4,
} as const;

/** Builds the way back from a number to its name. */
export function namesOf<Name extends string>(
  codes: Codes<Name>,
): (code: number) => Name {
  const names: Name[] = [];
  // Object.entries has no type for the names.
  for (const [name, code] of Object.entries(codes) as [Name, number][]) {
    names[code] = name;
  }
  return (code) => {
    const name = names[code];
    if (name === undefined) throw new Error(`The store has no code ${code}.`);
    return name;
  };
}

export const stateOf = namesOf(stateCodes);
export const audienceOf = namesOf(audienceCodes);
export const partStateOf = namesOf(partStateCodes);
export const receiptEventOf = namesOf(receiptEventCodes);
