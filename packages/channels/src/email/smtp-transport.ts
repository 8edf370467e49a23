/**
 * Connections to the mail server: a pool that mails go through, and the question
 * whether the server takes addresses beyond ASCII. Loads nodemailer.
 */

import type { Logger } from "@carillon/core";
import { Deadline } from "@carillon/gateway";
import { createTransport, type SendMailOptions } from "nodemailer";
import { assign, parseConnectionUrl } from "nodemailer/lib/shared";
import SMTPConnection from "nodemailer/lib/smtp-connection";
import type { DkimKey } from "./dkim-key.ts";
import { SlicingStream } from "./slicing-stream.ts";
import { type SmtpTls, withTlsMode } from "./smtp-tls.ts";
import { SmtpUtf8Question } from "./smtp-utf8-question.ts";

export interface SmtpTransportOptions {
  readonly smtpUrl: string;
  readonly tls?: SmtpTls | undefined;
  readonly dkim?: DkimKey | undefined;
  readonly connections: number;
  /** For a step at which the server has all of a mail. */
  readonly timeoutMs: number;
  /** For all steps until the server asks for the mail's text. */
  readonly beforeTextMs: number;
  readonly logger: Logger;
}

export type SmtpTransport = ReturnType<typeof openSmtpTransport>;

/** Connects when the first mail is sent. */
export function openSmtpTransport(options: SmtpTransportOptions) {
  const { timeoutMs, beforeTextMs, tls, dkim } = options;
  const server = {
    url: withTlsMode(options.smtpUrl, tls?.mode),
    tls: {
      ...(tls?.ca !== undefined && { ca: tls.ca }),
      ...(tls?.servername !== undefined && { servername: tls.servername }),
    },
    // A connection that hangs is not used again, whatever became of its mail.
    connectionTimeout: beforeTextMs,
    greetingTimeout: beforeTextMs,
    socketTimeout: timeoutMs,
    dnsTimeout: beforeTextMs,
    socketCloseTimeout: 500,
  };
  /** By the signals of mails under way, until the server asks for their text. */
  const beforeText = new WeakMap<AbortSignal, Deadline>();
  const transport = createTransport({
    ...server,
    pool: true,
    maxConnections: options.connections,
    // Enough for an idle connection that has died; the rest is the engine's.
    maxRequeues: 1,
    ...(dkim && {
      dkim: {
        domainName: dkim.domain,
        keySelector: dkim.selector,
        privateKey: dkim.privateKey,
        headerFieldNames: signedFields,
      },
    }),
    // Texts come from publishers and are never references to something else.
    disableFileAccess: true,
    disableUrlAccess: true,
    // Header names as they are written here.
    normalizeHeaderKey: (name: string) => name,
  });
  transport.use("stream", ({ data, message }, done) => {
    if (data.attachments?.length) {
      message.transform(() => new SlicingStream());
    }
    const early = data.signal && beforeText.get(data.signal);
    if (early) {
      const create = message.createReadStream.bind(message);
      message.createReadStream = (streamOptions) => {
        const stream = create(streamOptions);
        // It is read once the server has asked for it.
        stream.once("resume", () => early[Symbol.dispose]());
        return stream;
      };
    }
    done();
  });
  // The same error ends the mails that it concerns.
  transport.on("error", (error) => {
    options.logger.warn("smtp_connection_failed", { error });
  });
  const smtpUtf8 = new SmtpUtf8Question(
    (signal) => askForSmtpUtf8(server, signal),
    beforeTextMs,
  );
  return {
    /**
     * Hands a mail over; an abort closes its connection.
     *
     * @throws the error of the connection or the server
     */
    async send(mail: SendMailOptions, signal: AbortSignal) {
      using early = new Deadline(beforeTextMs);
      const both = AbortSignal.any([signal, early.signal]);
      beforeText.set(both, early);
      try {
        return await transport.sendMail({ ...mail, signal: both });
      } catch (error) {
        if (!early.isOver) throw error;
        const code = "ETIMEDOUT";
        throw Object.assign(new Error("The server is silent"), { code });
      }
    },
    close() {
      smtpUtf8.close();
      transport.close();
    },
    /**
     * Whether the server takes addresses beyond ASCII (RFC 6531).
     *
     * @throws the error of the connection; the signal's reason
     */
    takesSmtpUtf8: (signal: AbortSignal) => smtpUtf8.answer(signal),
  };
}

/**
 * RFC 6376 §5.4.1, and RFC 8058 §4: both headers of the one-click unsubscription
 * have to be signed, else mail boxes do not show it.
 */
const signedFields = [
  "From",
  "Reply-To",
  "Subject",
  "Date",
  "Message-ID",
  "To",
  "MIME-Version",
  "Content-Type",
  "Content-Transfer-Encoding",
  "List-Unsubscribe",
  "List-Unsubscribe-Post",
].join(":");

/**
 * By the answer to EHLO on a connection of its own, behind STARTTLS: nodemailer
 * sends such an address also to servers that do not take it.
 */
function askForSmtpUtf8(
  server: { readonly url: string },
  signal: AbortSignal,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    // As its pool puts them together.
    const connection = new SMTPConnection(
      assign(false, server, parseConnectionUrl(server.url)),
    );
    const onAbort = () => {
      connection.close();
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    const end = (settle: () => void) => {
      signal.removeEventListener("abort", onAbort);
      settle();
    };
    connection.once("error", (error) => end(() => reject(error)));
    connection.connect((error) => {
      const answer = connection.lastServerResponse || "";
      connection.quit();
      end(() =>
        error ? reject(error) : resolve(/^250[ -]SMTPUTF8\b/im.test(answer)),
      );
    });
  });
}
