/**
 * The channel of the protocol email: plain text mails over pooled connections
 * to one SMTP server. The server is the operator's choice, so the egress guard
 * does not apply to it.
 */

import type {
  AttemptResult,
  Channel,
  Logger,
  Message,
  PreparedMessage,
  Recipient,
} from "@carillon/core";
import { Deadline } from "@carillon/gateway";
import { oneLine } from "../excerpt.ts";
import { LazyPart } from "../lazy-part.ts";
import type { Links } from "../links.ts";
import { type MailContent, writeMail } from "./content.ts";
import { toAsciiMailAddress } from "./mail-address.ts";
import { outcomeOfError, outcomeOfReply, outcomeOfTimeout } from "./outcome.ts";
import { emailProtocol } from "./protocol.ts";
import { problemWithSmtpUrl, secretsOfSmtpUrl } from "./smtp-url.ts";

/** The SMTP server, the sender and the limits of attempts. */
export interface EmailChannelOptions {
  /** `smtp://user:password@host:port`, or `smtps://` for TLS from the start. */
  readonly smtpUrl: string;
  /** The sender's address: `noreply@example.com`. */
  readonly from: string;
  readonly links: Links;
  readonly logger: Logger;
  /**
   * For a whole attempt, the wait for a free connection included. Default:
   * {@link emailTimeoutMs}.
   */
  readonly timeoutMs?: number;
  /** Connections to the server at once. Default 5. */
  readonly connections?: number;
}

/** How long an attempt at an e-mail may take, in milliseconds. */
export const emailTimeoutMs = 30_000;

/**
 * Builds the channel for e-mail.
 *
 * @throws TypeError when `smtpUrl` or `from` cannot be used
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
  readonly #transport: LazyPart<Transport>;
  readonly #closing = new AbortController();
  readonly #secrets: readonly string[];

  constructor(options: EmailChannelOptions) {
    checkOptions(options);
    this.#options = options;
    this.timeoutMs = options.timeoutMs ?? emailTimeoutMs;
    this.#secrets = secretsOfSmtpUrl(options.smtpUrl);
    this.#transport = new LazyPart(
      () => loadPool(options, this.timeoutMs),
      (transport) => transport.close(),
    );
  }

  prepare(message: Message): PreparedMessage {
    return {
      deliver: (recipient, signals) =>
        this.#deliver(message, recipient, signals?.signal),
    };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#transport.close();
  }

  async #deliver(
    message: Message,
    recipient: Recipient,
    signal: AbortSignal = this.#closing.signal,
  ): Promise<AttemptResult> {
    const { topic } = message;
    const mail = writeMail(message, recipient, this.#options.links);
    if (mail === undefined) {
      return {
        outcome: "rejected",
        errorClass: "internal",
        error: "A message of a topic to a subscription is needed.",
      };
    }
    const transport = await this.#transport.get();
    const closing = this.#closing.signal;
    if (signal.aborted || closing.aborted) return interrupted;
    const { from } = this.#options;
    using deadline = new Deadline(this.timeoutMs, signal, closing);
    try {
      const { response } = await transport.sendMail({
        from: { name: oneLine(topic?.displayName ?? ""), address: from },
        // As an object it is one address, whatever it looks like.
        to: { name: "", address: toAsciiMailAddress(recipient.endpoint) },
        subject: mail.subject,
        text: mail.text,
        date: new Date(message.createdAt),
        // The same at each attempt, so that mail boxes can drop a duplicate.
        messageId: `<${message.id}.${recipient.target}@${domainOf(from)}>`,
        headers: headersOf(message, mail),
        signal: deadline.signal,
      });
      return outcomeOfReply(response);
    } catch (error) {
      if (deadline.isOver) return outcomeOfTimeout(this.timeoutMs);
      if (deadline.signal.aborted) return interrupted;
      return outcomeOfError(
        error instanceof Error ? error : new Error(String(error)),
        this.#secrets,
      );
    }
  }
}

type Transport = Awaited<ReturnType<typeof loadPool>>;

async function loadPool(options: EmailChannelOptions, timeoutMs: number) {
  const { createTransport } = await import("nodemailer");
  const transport = createTransport({
    pool: true,
    url: options.smtpUrl,
    maxConnections: options.connections ?? 5,
    // A connection that hangs is not used again, whatever became of its mail.
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    socketCloseTimeout: 500,
    // Enough for an idle connection that has died; the rest is the engine's.
    maxRequeues: 1,
    // Texts come from publishers and are never references to something else.
    disableFileAccess: true,
    disableUrlAccess: true,
    // Header names as they are written here.
    normalizeHeaderKey: (name: string) => name,
  });
  // The same error ends the mails that it concerns.
  transport.on("error", (error) => {
    options.logger.warn("smtp_connection_failed", { error });
  });
  return transport;
}

function headersOf(
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

/** The URL is not in the error: there may be a password in it. */
function checkOptions({ smtpUrl, from }: EmailChannelOptions): void {
  const problem = problemWithSmtpUrl(smtpUrl);
  if (problem !== undefined) throw new TypeError(`The SMTP server: ${problem}`);
  if (!/^[^\s@<>,;]+@[^\s@<>,;]+$/.test(from)) {
    throw new TypeError(
      `The sender "${from}" must be a mail address such as noreply@example.com`,
    );
  }
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf("@") + 1);
}

const interrupted: AttemptResult = {
  outcome: "deferred",
  errorClass: "interrupted",
  error: "The service was shutting down.",
};
