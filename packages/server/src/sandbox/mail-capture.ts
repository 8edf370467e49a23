/**
 * A mail server that delivers to nobody and keeps what it was sent. Some
 * mailboxes force an outcome; see `outcomes.ts`.
 */

import type { AddressInfo } from "node:net";
import type { Clock, EpochMs, Logger, NewId, ProjectId } from "@carillon/core";
import type { Email } from "postal-mime";
import { AttemptCounts } from "./attempt-counts.ts";
import { writeComplaint } from "./complaint.ts";
import type { MessageOwners } from "./message-owners.ts";
import { findMailboxOutcome, type MailboxOutcome } from "./outcomes.ts";
import { createPauses } from "./pauses.ts";
import { RingBuffer } from "./ring-buffer.ts";

export interface CapturedAttachment {
  readonly name: string;
  readonly contentType: string;
  /** Bytes. */
  readonly size: number;
  /** What `cid:` of the HTML names. */
  readonly contentId?: string;
}

export interface CapturedMail {
  readonly id: string;
  readonly receivedAt: EpochMs;
  /** As the envelope has them. */
  readonly envelopeFrom: string;
  readonly envelopeTo: readonly string[];
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Files and inline images, without what is in them. */
  readonly attachments: readonly CapturedAttachment[];
  readonly headers: readonly {
    readonly name: string;
    readonly value: string;
  }[];
  /** Of the message it says it is. */
  readonly projectId?: ProjectId | undefined;
  readonly bytes: number;
}

/** All by default. */
export interface MailFilter {
  /** An address of the envelope. */
  readonly to?: string | undefined;
  readonly isSeen?: (mail: CapturedMail) => boolean;
}

export interface MailCapture {
  /** Where to send, such as `smtp://127.0.0.1:41025`. */
  readonly smtpUrl: string;
  /** Oldest first. */
  list(filter?: MailFilter): readonly CapturedMail[];
  clear(filter?: MailFilter): void;
  close(): Promise<void>;
}

const maxMails = 1000;
const maxBytes = 64 * 1024 * 1024;
const maxMailBytes = 10 * 1024 * 1024;
/** More than our own channel opens; others are told to come again (421). */
const maxClients = 50;

/** Listens on a free port of this machine. */
export async function createMailCapture(ports: {
  readonly clock: Clock;
  readonly newId: NewId;
  readonly logger: Logger;
  readonly owners: Pick<MessageOwners, "find">;
}): Promise<MailCapture> {
  const { clock, newId, logger, owners } = ports;
  // Loaded only when there is a sandbox: a start without one is quicker.
  const [{ SMTPServer }, { default: PostalMime }] = await Promise.all([
    import("smtp-server"),
    import("postal-mime"),
  ]);
  const mails = new RingBuffer<CapturedMail>({ maxItems: maxMails, maxBytes });
  const attempts = new AttemptCounts();
  const pauses = createPauses(clock);

  function keep(mail: Email, rest: Envelope & { readonly bytes: number }) {
    mails.add({
      id: newId(),
      receivedAt: clock.now(),
      from: formatAddress(mail.from),
      to: mail.to?.map(formatAddress) ?? [],
      subject: mail.subject ?? "",
      text: mail.text ?? "",
      html: mail.html ?? "",
      attachments: mail.attachments.map(toAttachment),
      headers: mail.headers.map(({ originalKey, value }) => ({
        name: originalKey,
        value,
      })),
      ...rest,
    });
  }

  /** @throws SmtpRefusal */
  async function take(raw: Buffer, envelope: Omit<Envelope, "projectId">) {
    const mail = await PostalMime.parse(raw);
    const message = messageOf(mail, owners);
    const [recipient = "", outcome = ordinary] =
      // Whoever confirms shall see the outcome of what is published.
      (message?.isNotice ? undefined : forcedOf(envelope.envelopeTo)) ?? [];
    const { refusal, delayMs = 0, complains = false } = outcome;
    await pauses.wait(delayMs);
    if (
      refusal !== undefined &&
      (refusal.times === undefined ||
        attempts.add(recipient, message?.id) < refusal.times)
    ) {
      throw new SmtpRefusal(refusal.code, refusal.text);
    }
    const projectId = message?.projectId;
    keep(mail, { ...envelope, projectId, bytes: raw.length });
    if (!complains) return;
    const complaint = writeComplaint(raw, {
      id: newId(),
      at: clock.now(),
      from: envelope.envelopeFrom,
      to: recipient,
    });
    keep(await PostalMime.parse(complaint), {
      // A report is sent with the null sender (RFC 5321 §4.5.5).
      envelopeFrom: "",
      envelopeTo: [envelope.envelopeFrom],
      projectId,
      bytes: complaint.length,
    });
  }

  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS", "AUTH"],
    disableReverseLookup: true,
    size: maxMailBytes,
    maxClients,
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => {
        if (!stream.sizeExceeded) chunks.push(chunk);
      });
      stream.on("end", () => {
        if (stream.sizeExceeded) {
          done(new SmtpRefusal(552, "Message too large"));
          return;
        }
        const { mailFrom, rcptTo } = session.envelope;
        take(Buffer.concat(chunks), {
          envelopeFrom: mailFrom ? mailFrom.address : "",
          envelopeTo: rcptTo.map(({ address }) => address),
        }).then(
          () => done(),
          (error: unknown) =>
            done(error instanceof Error ? error : new Error(String(error))),
        );
      });
    },
  });
  server.on("error", (error) => {
    // A client that went away in the middle; nobody waits for an answer.
    logger.debug("sandbox_smtp_error", { error });
  });
  await new Promise<void>((resolve, reject) => {
    server.server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      server.server.off("error", reject);
      resolve();
    });
  });
  // Listening on TCP, so it is no path.
  const { port } = server.server.address() as AddressInfo;

  let closing: Promise<void> | undefined;
  return {
    smtpUrl: `smtp://127.0.0.1:${port}`,
    list: (filter = {}) => mails.items.filter(toTest(filter)),
    clear: (filter = {}) => mails.clear(toTest(filter)),
    close() {
      pauses.close();
      closing ??= new Promise((resolve) => server.close(resolve));
      return closing;
    },
  };
}

type Envelope = Pick<CapturedMail, "envelopeFrom" | "envelopeTo" | "projectId">;

/** What the server answers instead of taking a mail. */
class SmtpRefusal extends Error {
  override readonly name = "SmtpRefusal";
  /** The server reads it under this name. */
  readonly responseCode: number;

  constructor(responseCode: number, text: string) {
    super(text);
    this.responseCode = responseCode;
  }
}

const ordinary: Omit<MailboxOutcome, "localPart" | "meaning" | "state"> = {};

/** The first recipient that forces an outcome forces it for the mail. */
function forcedOf(
  recipients: readonly string[],
): [recipient: string, outcome: MailboxOutcome] | undefined {
  for (const recipient of recipients) {
    const outcome = findMailboxOutcome(recipient);
    if (outcome) return [recipient, outcome];
  }
  return undefined;
}

/** The message that the mail says it is of. */
function messageOf({ headers }: Email, owners: Pick<MessageOwners, "find">) {
  const id = headers.find(({ key }) => key === "x-smn-message-id")?.value;
  return id === undefined ? undefined : owners.find(id);
}

function toTest({ to, isSeen = () => true }: MailFilter) {
  return (mail: CapturedMail) =>
    (to === undefined || mail.envelopeTo.includes(to)) && isSeen(mail);
}

function formatAddress(
  address: { name?: string; address?: string | undefined } | undefined,
): string {
  if (!address) return "";
  const { name, address: mailbox = "" } = address;
  return name ? `${name} <${mailbox}>` : mailbox;
}

function toAttachment({
  filename,
  mimeType,
  contentId,
  content,
}: Email["attachments"][number]): CapturedAttachment {
  return {
    name: filename ?? "",
    contentType: mimeType,
    size:
      typeof content === "string"
        ? Buffer.byteLength(content)
        : content.byteLength,
    ...(contentId !== undefined && {
      contentId: contentId.replace(/^<|>$/g, ""),
    }),
  };
}
