/**
 * The mail server that bounces and complaints come to. It takes mails for its
 * own return addresses alone, passes nothing on, and keeps nothing but what the
 * intake makes of them: a report is answered 250 once it is on disk.
 */

import type { AddressInfo } from "node:net";
import type { Clock, Logger, Timer } from "@carillon/core";
import type { SMTPServerSession } from "smtp-server";
import type { BounceAddresses } from "./bounce-address.ts";
import type { MailIntake } from "./mail-intake.ts";
import { type MailKey, parseMessageId } from "./mail-key.ts";
import { readMailReport } from "./read-mail-report.ts";
import type { MailReport } from "./reported-event.ts";

export interface BounceServerPorts {
  readonly addresses: BounceAddresses;
  readonly intake: MailIntake;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface BounceServerOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** Whether a Message-ID that a report quotes may stand for a return address. */
  readonly trustMessageIds: boolean;
}

export interface BounceServer extends AsyncDisposable {
  readonly port: number;
}

/** Of a mail; a report with headers alone has a few KB. */
export const maxReportBytes = 1024 * 1024;
/** Open at once; further ones are told to come again (421). */
const maxClients = 100;
const maxClientsOfAddress = 50;
/** Of a mail; a report has one. */
const maxRecipients = 20;
/** Of an address within a minute, before it is told to come again. */
const maxRefused = 100;
/** A connection is not kept longer, whatever it says. */
const connectionMs = 10 * 60_000;

/**
 * Listens.
 *
 * @throws the error of the socket when it cannot
 */
export async function startBounceServer(
  { addresses, intake, clock, logger }: BounceServerPorts,
  { host, port, trustMessageIds }: BounceServerOptions,
): Promise<BounceServer> {
  // Loaded only where bounces come in: other starts are quicker.
  const { SMTPServer } = await import("smtp-server");
  const refusals = createRefusalCounts(clock);
  const clients = new Map<string, number>();
  const deadlines = new Map<string, Timer>();

  /** @throws SmtpRefusal; CarillonError of the store */
  async function take(
    text: string,
    { mailFrom, rcptTo }: SMTPServerSession["envelope"],
  ): Promise<void> {
    const report = readMailReport(text, mailFrom ? mailFrom.address : "");
    if (report.kind !== "events") {
      logger.debug("mail_report_ignored", { why: report.kind });
      return;
    }
    for (const { address } of rcptTo) {
      const mail = mailOf(address, report);
      const outcome =
        mail === undefined
          ? "unknown"
          : await intake.receive({ mail, events: report.events, raw: text });
      if (outcome === "unknown") {
        logger.warn("mail_report_unknown", {
          event: report.events[0]?.event ?? "",
        });
      }
    }
  }

  function mailOf(
    recipient: string,
    report: MailReport & { kind: "events" },
  ): MailKey | undefined {
    const now = clock.now();
    for (const address of [recipient, ...report.returnPaths]) {
      const found = addresses.read(address, now);
      if (found.kind === "mail") return found.mail;
    }
    return trustMessageIds && report.messageId !== undefined
      ? parseMessageId(report.messageId)
      : undefined;
  }

  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS", "AUTH"],
    disableReverseLookup: true,
    banner: "Carillon takes bounces",
    size: maxReportBytes,
    maxClients,
    socketTimeout: 60_000,
    closeTimeout: 500,
    onConnect({ id, remoteAddress }, done) {
      const open = clients.get(remoteAddress) ?? 0;
      if (open >= maxClientsOfAddress || refusals.isOver(remoteAddress)) {
        done(new SmtpRefusal(421, "Too many connections or wrong recipients"));
        return;
      }
      clients.set(remoteAddress, open + 1);
      deadlines.set(
        id,
        clock.setTimer(connectionMs, () => {
          for (const one of server.connections) {
            // The type of its connections is not exported.
            const { id: its, close } = one as { id?: string; close(): void };
            if (its === id) close.call(one);
          }
        }),
      );
      done();
    },
    onClose({ id, remoteAddress }) {
      const timer = deadlines.get(id);
      if (!timer) return;
      timer.cancel();
      deadlines.delete(id);
      const open = (clients.get(remoteAddress) ?? 1) - 1;
      if (open > 0) clients.set(remoteAddress, open);
      else clients.delete(remoteAddress);
    },
    onRcptTo({ address }, { envelope, remoteAddress }, done) {
      if (envelope.rcptTo.length >= maxRecipients) {
        done(new SmtpRefusal(452, "Too many recipients"));
        return;
      }
      const { kind } = addresses.read(address, clock.now());
      if (kind === "mail" || kind === "mailbox") {
        done();
        return;
      }
      if (refusals.add(remoteAddress)) {
        done(new SmtpRefusal(421, "Too many wrong recipients"));
        return;
      }
      const why = kind === "expired" ? "no longer valid" : "unknown";
      done(new SmtpRefusal(550, `This address is ${why}`));
    },
    onData(stream, { envelope }, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => {
        if (!stream.sizeExceeded) chunks.push(chunk);
      });
      stream.on("end", () => {
        if (stream.sizeExceeded) {
          done(new SmtpRefusal(552, "Message too large"));
          return;
        }
        take(Buffer.concat(chunks).toString(), envelope).then(
          () => done(),
          (error: unknown) => {
            logger.error("mail_report_failed", { error });
            done(new SmtpRefusal(451, "Try again later"));
          },
        );
      });
    },
  });
  // Of one client; it has been answered, or is gone.
  server.on("error", (error) => {
    logger.debug("bounce_connection_failed", { error });
  });

  const listening = Promise.withResolvers<void>();
  server.once("error", listening.reject);
  server.listen(port, host, listening.resolve);
  await listening.promise;
  server.off("error", listening.reject);

  let closed: Promise<void> | undefined;
  return {
    // It listens on a port, not on a pipe.
    port: (server.server.address() as AddressInfo).port,
    [Symbol.asyncDispose]() {
      closed ??= new Promise<void>((resolve) => {
        server.close(() => {
          for (const timer of deadlines.values()) timer.cancel();
          resolve();
        });
      });
      return closed;
    },
  };
}

/** A reply to a client, and no failure of ours. */
class SmtpRefusal extends Error {
  readonly responseCode: number;

  constructor(responseCode: number, text: string) {
    super(text);
    this.responseCode = responseCode;
  }
}

/** How often addresses named wrong recipients within the last minute or two. */
function createRefusalCounts(clock: Pick<Clock, "now">) {
  let minute = 0;
  let counts = new Map<string, number>();
  const current = () => {
    const now = Math.floor(clock.now() / 60_000);
    if (now !== minute) {
      minute = now;
      counts = new Map();
    }
    return counts;
  };
  return {
    isOver: (address: string) => (current().get(address) ?? 0) >= maxRefused,
    /** Counts one, and answers whether there are too many. */
    add(address: string): boolean {
      const count = (current().get(address) ?? 0) + 1;
      counts.set(address, count);
      return count >= maxRefused;
    },
  };
}
