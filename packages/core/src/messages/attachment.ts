/** Files that mails carry. */

/** A file that a mail carries, without its bytes. */
export interface AttachmentInfo {
  /** File name, one line. */
  readonly name: string;
  /** Media type such as `application/pdf`. */
  readonly contentType: string;
  /** Bytes. */
  readonly size: number;
  /** Of an inline image: what `cid:` in the HTML names. */
  readonly contentId?: string;
}

/** A file with its bytes. */
export interface Attachment extends Omit<AttachmentInfo, "size"> {
  readonly content: Uint8Array;
}
