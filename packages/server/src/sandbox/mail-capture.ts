/** A mail server that delivers to nobody and keeps what it was sent. */

import type { AddressInfo } from "node:net";
import type { Clock, EpochMs, Logger, NewId, ProjectId } from "@carillon/core";
import type { MessageOwners } from "./message-owners.ts";
import { RingBuffer } from "./ring-buffer.ts";

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

/** Listens on a free port of this machine. */
export async function createMailCapture(ports: {
  readonly clock: Clock;
  readonly newId: NewId;
  readonly logger: Logger;
  readonly owners: Pick<MessageOwners, "findOwner">;
}): Promise<MailCapture> {
  const { clock, newId, logger, owners } = ports;
  // Loaded only when there is a sandbox: a start without one is quicker.
  const [{ SMTPServer }, { default: PostalMime }] = await Promise.all([
    import("smtp-server"),
    import("postal-mime"),
  ]);
  const mails = new RingBuffer<CapturedMail>({ maxItems: maxMails, maxBytes });

  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS", "AUTH"],
    disableReverseLookup: true,
    size: maxMailBytes,
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        if (stream.sizeExceeded) {
          done(
            Object.assign(new Error("Message too large"), {
              responseCode: 552,
            }),
          );
          return;
        }
        const raw = Buffer.concat(chunks);
        const { mailFrom, rcptTo } = session.envelope;
        PostalMime.parse(raw).then(
          (mail) => {
            const messageId = mail.headers.find(
              ({ key }) => key === "x-smn-message-id",
            )?.value;
            mails.add({
              id: newId(),
              receivedAt: clock.now(),
              envelopeFrom: mailFrom ? mailFrom.address : "",
              envelopeTo: rcptTo.map(({ address }) => address),
              from: formatAddress(mail.from),
              to: mail.to?.map(formatAddress) ?? [],
              subject: mail.subject ?? "",
              text: mail.text ?? "",
              html: mail.html ?? "",
              headers: mail.headers.map(({ originalKey, value }) => ({
                name: originalKey,
                value,
              })),
              projectId:
                messageId === undefined
                  ? undefined
                  : owners.findOwner(messageId),
              bytes: raw.length,
            });
            done();
          },
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
      closing ??= new Promise((resolve) => server.close(resolve));
      return closing;
    },
  };
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
