/**
 * What a publisher may say of the mails of a message, and of them alone. For
 * recipients that are reached otherwise it means nothing.
 */

/** Checked. What is absent is as the service is set up. */
export interface EmailOptions {
  /** Address of the sender. */
  readonly from?: string;
  /** Shown beside the sender's address. */
  readonly senderName?: string;
  readonly replyTo?: string;
  /** Where one POST ends the recipient's subscription (RFC 8058). */
  readonly unsubscribeUrl?: string;
}
