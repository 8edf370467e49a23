/**
 * The channel of the protocol email: mails over pooled connections to one SMTP
 * server. The server is the operator's choice, so the egress guard does not apply
 * to it.
 *
 * Each attempt hands the mail over once, with the same Message-ID at every attempt.
 * A crash, or a connection that breaks, between the server's acceptance and our
 * write leads to another attempt: the mail may come twice, and mail boxes can tell
 * by that id.
 */

import {
  type Attachment,
  type AttemptResult,
  type AttemptSignals,
  type Channel,
  type FailedResult,
  type Logger,
  type Message,
  mailEntry,
  mailPartId,
  orAborted,
  type PreparedMessage,
  type Recipient,
} from "@carillon/core";
import { Deadline } from "@carillon/gateway";
import { oneLine } from "../excerpt.ts";
import { LazyPart } from "../lazy-part.ts";
import type { Links } from "../links.ts";
import { ByteBudget } from "./byte-budget.ts";
import { type MailContent, writeMail } from "./content.ts";
import { type DkimKey, problemWithDkimKey } from "./dkim-key.ts";
import { withTextPart } from "./html-text.ts";
import { needsSmtpUtf8, toAsciiMailAddress } from "./mail-address.ts";
import { MailPace } from "./mail-pace.ts";
import type { MailPart } from "./mail-part.ts";
import { MailPlaces } from "./mail-places.ts";
import { createSenderCheck, domainOf } from "./mail-senders.ts";
import {
  type MailWait,
  noSmtpUtf8,
  outcomeOfError,
  outcomeOfReply,
  outcomeOfTimeout,
} from "./outcome.ts";
import { PartCache } from "./part-cache.ts";
import { emailProtocol } from "./protocol.ts";
import { problemWithSmtpTls, type SmtpTls } from "./smtp-tls.ts";
import type { SmtpTransport } from "./smtp-transport.ts";
import { problemWithSmtpUrl, secretsOfSmtpUrl } from "./smtp-url.ts";

/** Reads a message's files with their bytes, in their order. */
export type ReadAttachments = (
  messageSeq: number,
) => Promise<readonly Attachment[]>;

/** The SMTP server, the senders and the limits of attempts. */
export interface EmailChannelOptions {
  /**
   * Of one of several backends: what deliveries name as their provider. Default:
   * none, and {@link mailEntry} where reports come back.
   */
  readonly name?: string | undefined;
  /** `smtp://user:password@host:port`, or `smtps://` for TLS from the start. */
  readonly smtpUrl: string;
  /** Default: as the URL says. */
  readonly tls?: SmtpTls | undefined;
  /** The sender's address where a message names none: `noreply@example.com`. */
  readonly from: string;
  /**
   * Other addresses, or domains, that messages may name as their sender. Default:
   * none.
   */
  readonly senders?: readonly string[] | undefined;
  /** Default: mails are not signed here. */
  readonly dkim?: DkimKey | undefined;
  readonly links: Links;
  readonly logger: Logger;
  /** Needed for messages that carry files. */
  readonly readAttachments?: ReadAttachments | undefined;
  /**
   * Where the reports on a mail go: the sender of its envelope. Default: the
   * sender of the mail.
   */
  readonly returnPath?:
    | ((message: Message, recipient: Recipient) => string | undefined)
    | undefined;
  /**
   * Reports on mails come back here, so that a mail that the server took is `sent`
   * and no more; they name what stands before the `@` of its Message-ID. Default:
   * it counts as delivered.
   */
  readonly expectsReports?: boolean | undefined;
  /**
   * Mails go through Mandrill, whose reports name them by what stands in a header
   * that it takes off. Default: they have none.
   */
  readonly namesMailsToMandrill?: boolean | undefined;
  /**
   * For a whole attempt: a fifth of it for the wait for a connection, and from then
   * on two fifths until the server takes the mail's text. Default:
   * {@link emailTimeoutMs}.
   */
  readonly timeoutMs?: number | undefined;
  /** Connections to the server at once. Default 5. */
  readonly connections?: number | undefined;
  /** Mails handed over in a second, at most. Default: no bound. */
  readonly mailsPerSecond?: number | undefined;
  /**
   * Bytes of memory for the files of mails that are under way, and their encoded
   * forms. Default {@link attachmentMemoryBytes}.
   */
  readonly attachmentMemoryBytes?: number | undefined;
}

/** What the name of a mail is called among the metadata that Mandrill keeps. */
export const mandrillMetadata = "carillon_mail";

/**
 * How long an attempt at an e-mail may take, in milliseconds: nearly as long as the
 * shortest lease allows, for a server that has all of a mail may take its time
 * (RFC 5321 §4.5.3.2.6), and whoever leaves it sends the mail again.
 */
export const emailTimeoutMs = 75_000;

/** The share of an attempt that may pass before it has a connection. */
const waitShare = 0.2;

/** The share of an attempt in which the server has to ask for the mail's text. */
const beforeTextShare = 0.4;

/** Connections to the mail server at once. */
const defaultConnections = 5;

/**
 * How long attempts wait for a connection and their turn, about, in milliseconds:
 * enough that the next mail is always there, and far from the end of the wait.
 */
const usualWaitMs = 2000;

/** What the files of mails may take of the memory, in bytes. */
export const attachmentMemoryBytes = 100_663_296;

/** A file, its base64, and the copy that is signed or on its way. */
const bytesPerAttachmentByte = 4;

/**
 * Builds the channel for e-mail.
 *
 * @throws TypeError when an option cannot be used
 */
export function createEmailChannel(options: EmailChannelOptions): Channel {
  return new EmailChannel(options);
}

class EmailChannel implements Channel {
  readonly name = "email";
  readonly protocols = [emailProtocol];
  readonly kind = "push";
  readonly timeoutMs: number;
  readonly #options: EmailChannelOptions;
  readonly #isSender: (address: string) => boolean;
  readonly #transport: LazyPart<SmtpTransport>;
  readonly #parts: PartCache | undefined;
  readonly #memory: ByteBudget;
  readonly #pace: MailPace | undefined;
  readonly #places: MailPlaces;
  readonly #closing = new AbortController();
  readonly #secrets: readonly string[];

  constructor(options: EmailChannelOptions) {
    checkOptions(options);
    const { readAttachments, attachmentMemoryBytes: memory } = options;
    const { mailsPerSecond, connections = defaultConnections } = options;
    const memoryBytes = memory ?? attachmentMemoryBytes;
    this.#options = options;
    this.#isSender = createSenderCheck(options.from, options.senders);
    this.timeoutMs = options.timeoutMs ?? emailTimeoutMs;
    this.#secrets = secretsOfSmtpUrl(options.smtpUrl);
    this.#memory = new ByteBudget(memoryBytes);
    this.#places = new MailPlaces(connections);
    // nodemailer's own limit lets each connection begin with a mail.
    this.#pace =
      mailsPerSecond === undefined ? undefined : new MailPace(mailsPerSecond);
    this.#parts =
      readAttachments &&
      new PartCache(
        async (messageSeq) =>
          await encodeParts(await readAttachments(messageSeq)),
        memoryBytes / 4,
      );
    this.#transport = new LazyPart(
      () => loadTransport(options, this.timeoutMs),
      (transport) => transport.close(),
    );
  }

  /** Those that have a connection, and those that have one soon. */
  maxInFlight(): number {
    const { mailsPerSecond, connections = defaultConnections } = this.#options;
    const served = this.#places.servedIn(usualWaitMs);
    if (mailsPerSecond === undefined) return connections + served;
    const turns = Math.ceil((mailsPerSecond * usualWaitMs) / 1000);
    return Math.min(turns, served) + Math.min(connections, turns);
  }

  prepare(message: Message): PreparedMessage | Promise<PreparedMessage> {
    const ready = withTextPart(message);
    return ready instanceof Promise
      ? ready.then((it) => this.#prepared(it))
      : this.#prepared(ready);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#transport.close();
  }

  #prepared(message: Message): PreparedMessage {
    return {
      deliver: (recipient, signals) =>
        this.#deliver(message, recipient, signals),
    };
  }

  async #deliver(
    message: Message,
    recipient: Recipient,
    signals: AttemptSignals | undefined,
  ): Promise<AttemptResult> {
    const { links, logger } = this.#options;
    const mail = writeMail(message, recipient, links);
    if (mail === undefined) {
      return rejected("A message of a topic to a subscription is needed.");
    }
    const from = message.email?.from ?? this.#options.from;
    // It was asked when the message was accepted; the set-up may have changed.
    if (!this.#isSender(from)) {
      return rejected(`Mails may not be sent from ${from} (email.senders).`);
    }
    const signal = signals?.signal ?? this.#closing.signal;
    const transport = await this.#transport.get();
    const closing = this.#closing.signal;
    if (signal.aborted || closing.aborted) return interrupted;
    using deadline = new Deadline(this.timeoutMs, signal, closing);
    const waitMs = this.timeoutMs * waitShare;
    using waiting = new Deadline(waitMs, signal, closing);
    let waitsFor: MailWait | undefined;
    try {
      const size = message.attachmentBytes;
      const isTaken =
        !needsSmtpUtf8(recipient.endpoint) ||
        (await transport.takesSmtpUtf8(deadline.signal));
      if (!isTaken) return noSmtpUtf8;
      const send = async (files: readonly MailPart[]) => {
        // Behind all other waits, so that mails leave as evenly as they may.
        waitsFor = "turn";
        await this.#pace?.turn(waiting.signal);
        waitsFor = "connection";
        using _ = await this.#places.take(waiting.signal);
        waitsFor = undefined;
        const data = { message, recipient, mail, from };
        return await this.#send(transport, data, files, deadline.signal);
      };
      if (size === undefined) return await send([]);
      if (this.#parts === undefined) {
        return rejected("Files of mails cannot be read here.");
      }
      using held = this.#parts.hold(message.seq);
      const bytes = size * bytesPerAttachmentByte;
      waitsFor = "memory";
      using _ = await this.#memory.take(bytes, waiting.signal);
      waitsFor = undefined;
      const files = await orAborted(
        held.read().catch((error: unknown) => {
          const { id: messageId } = message;
          logger.warn("mail_files_unreadable", { messageId, error });
          return undefined;
        }),
        deadline.signal,
      );
      if (files === undefined) return unreadableFiles;
      if (files.length === 0) {
        return rejected("The mail's files are not kept any more.");
      }
      return await send(files);
    } catch (error) {
      if (waitsFor !== undefined && waiting.isOver) {
        return outcomeOfTimeout(waitMs, waitsFor);
      }
      if (deadline.isOver) return outcomeOfTimeout(this.timeoutMs);
      if (deadline.signal.aborted) return interrupted;
      return outcomeOfError(
        error instanceof Error ? error : new Error(String(error)),
        this.#secrets,
      );
    }
  }

  async #send(
    transport: SmtpTransport,
    { message, recipient, mail, from }: MailData,
    parts: readonly MailPart[],
    signal: AbortSignal,
  ): Promise<AttemptResult> {
    const { email, topic } = message;
    const { returnPath, expectsReports, namesMailsToMandrill } = this.#options;
    const sender = toAsciiMailAddress(from);
    const to = toAsciiMailAddress(recipient.endpoint);
    const bounceTo = returnPath?.(message, recipient);
    // The same at each attempt, so that mail boxes can drop a duplicate.
    const partId = mailPartId(message.id, recipient.target);
    const messageId = `${partId}@${domainOf(sender)}`;
    const { response } = await transport.send(
      {
        // As objects they are one address each, whatever they look like.
        from: {
          name: oneLine(email?.senderName ?? topic?.displayName ?? ""),
          address: sender,
        },
        to: { name: "", address: to },
        ...(email?.replyTo !== undefined && {
          replyTo: { name: "", address: toAsciiMailAddress(email.replyTo) },
        }),
        ...(bounceTo !== undefined && {
          envelope: { from: bounceTo, to: [to] },
        }),
        subject: mail.subject,
        text: mail.text,
        ...(mail.html !== undefined && { html: mail.html }),
        attachments: parts.map(({ raw, contentId: cid }) => ({
          raw,
          ...(cid !== undefined && { cid }),
        })),
        date: new Date(message.createdAt),
        messageId: `<${messageId}>`,
        headers: {
          ...headersOf(message, mail),
          ...(namesMailsToMandrill && {
            // As it is: encoded words are no JSON.
            "X-MC-Metadata": {
              prepared: true,
              value: JSON.stringify({ [mandrillMetadata]: partId }),
            },
          }),
        },
      },
      signal,
    );
    const taken = outcomeOfReply(response);
    const { name } = this.#options;
    if (!expectsReports)
      return name === undefined ? taken : { ...taken, provider: name };
    return {
      ...taken,
      outcome: "accepted",
      provider: name ?? mailEntry,
      parts: [{ externalId: partId }],
      receiptExpected: true,
    };
  }
}

/** One mail to one recipient. */
interface MailData {
  readonly message: Message;
  readonly recipient: Recipient;
  readonly mail: MailContent;
  readonly from: string;
}

async function loadTransport(
  options: EmailChannelOptions,
  timeoutMs: number,
): Promise<SmtpTransport> {
  const { openSmtpTransport } = await import("./smtp-transport.ts");
  const { connections = defaultConnections } = options;
  const beforeTextMs = timeoutMs * beforeTextShare;
  return openSmtpTransport({
    ...options,
    connections,
    timeoutMs,
    beforeTextMs,
  });
}

async function encodeParts(
  files: readonly Attachment[],
): Promise<readonly MailPart[]> {
  const { encodeMailParts } = await import("./mail-part.ts");
  return await encodeMailParts(files);
}

export function headersOf(
  message: Message,
  { unsubscribeUrl }: MailContent,
): Record<string, string> {
  return {
    "X-SMN-MESSAGE-ID": message.id,
    "Auto-Submitted": "auto-generated",
    ...(unsubscribeUrl && {
      "List-Unsubscribe": `<${unsubscribeUrl}>`,
      // RFC 8058: the server takes a POST to that URL for a click.
      "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }),
  };
}

/** URL and key are not in the error: there may be a password in it. */
function checkOptions({ smtpUrl, from, tls, dkim }: EmailChannelOptions): void {
  const problem =
    problemWithSmtpUrl(smtpUrl) ??
    (tls?.mode && problemWithSmtpTls(smtpUrl, tls.mode));
  if (problem !== undefined) throw new TypeError(`The SMTP server: ${problem}`);
  const keyProblem = dkim && problemWithDkimKey(dkim.privateKey);
  if (keyProblem !== undefined) {
    throw new TypeError(`The key of DKIM: ${keyProblem}`);
  }
  if (!/^[^\s@<>,;]+@[^\s@<>,;]+$/.test(from)) {
    throw new TypeError(
      `The sender "${from}" must be a mail address such as noreply@example.com`,
    );
  }
}

function rejected(error: string): FailedResult {
  return { outcome: "rejected", errorClass: "internal", error };
}

const unreadableFiles: FailedResult = {
  outcome: "deferred",
  errorClass: "internal",
  error: "The mail's files could not be read.",
};

const interrupted: AttemptResult = {
  outcome: "deferred",
  errorClass: "interrupted",
  error: "The service was shutting down.",
};
