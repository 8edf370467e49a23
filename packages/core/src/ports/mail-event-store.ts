/** Keeps what is reported of mails, and who gets none. */

import type { DeliveryId, MessageId, ProjectId } from "../ids.ts";
import type {
  EmailSuppression,
  SoftBounceLimit,
  SuppressionReason,
} from "../mail-events/email-suppression.ts";
import type { MailEvent, NewMailEvent } from "../mail-events/mail-event.ts";

/** Whom a mail was for. */
export interface MailTarget {
  readonly messageSeq: number;
  readonly projectId: ProjectId;
  /** The address. */
  readonly endpoint: string;
  /** Who took it last, and by which id; absent: nobody that is known yet. */
  readonly part?: { readonly entry: string; readonly externalId: string };
}

/** A mail that a backend gave an id. */
export interface MailOfPart extends Omit<MailTarget, "part"> {
  readonly messageId: MessageId;
  readonly target: number;
  readonly entry: string;
}

/** What came of an event. */
export interface RecordedMailEvent {
  /** False: it is kept already, or enough of its kind are. */
  readonly isNew: boolean;
  /** It put the address on the suppression list: for what it is there now. */
  readonly suppressed?: SuppressionReason;
}

/** An address as the suppression list is asked for it. */
export interface SuppressionKey {
  readonly projectId: ProjectId;
  readonly key: string;
}

export interface MailEventStore {
  /** Of a message with a recipient of that number who is reached by e-mail. */
  findMailTarget(
    messageId: MessageId,
    target: number,
  ): Promise<MailTarget | undefined>;
  /** The newest mail that a provider gave this id. */
  findMailOfPart(externalId: string): Promise<MailOfPart | undefined>;
  /**
   * Keeps an event, applies it to the delivery as a receipt, also where the
   * outcome of the attempt comes later, and puts the address on the suppression
   * list if it is a reason to, by `mergeSuppression`: all in one transaction. One
   * with a fingerprint that its delivery has already changes nothing; nor does one
   * whose kind is kept, once `enoughMailEvents` are.
   */
  recordMailEvent(
    event: NewMailEvent,
    suppression: {
      readonly address: string;
      readonly deliveryId: DeliveryId;
      readonly softBounces: SoftBounceLimit;
    },
  ): Promise<RecordedMailEvent>;
  /** Of a delivery, in the order in which they came. */
  listMailEvents(
    messageSeq: number,
    target: number,
  ): Promise<readonly MailEvent[]>;
  /** Those of the keys that are on the list; the order is not promised. */
  findEmailSuppressions(
    keys: readonly SuppressionKey[],
  ): Promise<readonly EmailSuppression[]>;
  /**
   * Puts it on the list; where it is there already, by `mergeSuppression`.
   *
   * @throws CarillonError PROJECT_DELETED
   */
  addEmailSuppression(
    suppression: Omit<EmailSuppression, "count">,
  ): Promise<EmailSuppression>;
  /** False when it was not on the list. */
  removeEmailSuppression(projectId: ProjectId, key: string): Promise<boolean>;
  /** In the order of keys, starting behind `after`. */
  listEmailSuppressions(
    projectId: ProjectId,
    page: { readonly limit: number; readonly after?: string },
  ): Promise<readonly EmailSuppression[]>;
}
