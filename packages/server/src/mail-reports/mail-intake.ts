/**
 * Takes in what is reported of mails: finds the delivery, and has the store keep
 * the event, advance the delivery and suppress the address.
 */

import { createHash } from "node:crypto";
import { suppressionKeyOf } from "@carillon/channels";
import {
  addMs,
  type Clock,
  type EpochMs,
  type Logger,
  type MailEventStore,
  type MailOfPart,
  mailEntry,
  mailEventKinds,
  mailPartId,
  maxRawCharacters,
  type SoftBounceLimit,
  toDeliveryId,
  toEpochMs,
} from "@carillon/core";
import type { MailKey } from "./mail-key.ts";
import type { ReportedEvent } from "./reported-event.ts";

export interface MailIntakePorts {
  readonly store: Pick<
    MailEventStore,
    "findMailTarget" | "findMailOfPart" | "recordMailEvent"
  >;
  readonly clock: Pick<Clock, "now">;
  readonly logger: Logger;
}

/** What a report names a mail by: its number here, or an id of its provider. */
export type MailReference = MailKey | { readonly externalId: string };

export interface ReceivedReport {
  readonly mail: MailReference;
  /** Of several recipients, when the mail was passed on: one or more. */
  readonly events: readonly ReportedEvent[];
  /** As it came. */
  readonly raw: string;
  /** The reporter's id of the event: it counts once. */
  readonly id?: string | undefined;
}

/** `unknown`: there is no such mail; nothing was kept. */
export type MailReportOutcome = "kept" | "repeated" | "unknown";

export interface MailIntake {
  /**
   * Once it resolves the report is on disk. Twice is once.
   *
   * @throws CarillonError of the store: then nothing was kept, and the reporter
   * is to come again
   */
  receive(report: ReceivedReport): Promise<MailReportOutcome>;
}

/** An event that is said to be older is taken for one of now. */
const oldestMs = 60 * 86_400_000;

export function createMailIntake(
  { store, clock, logger }: MailIntakePorts,
  softBounces: () => SoftBounceLimit,
): MailIntake {
  /** With the id that it has where it was handed over. */
  async function find(
    mail: MailReference,
  ): Promise<(MailOfPart & { readonly externalId: string }) | undefined> {
    if ("externalId" in mail) {
      const found = await store.findMailOfPart(mail.externalId);
      return found && { ...found, externalId: mail.externalId };
    }
    const { messageId, target } = mail;
    const found = await store.findMailTarget(messageId, target);
    if (!found) return undefined;
    // The report may come before the outcome of the attempt is on disk.
    const { part, ...rest } = found;
    const { entry, externalId } = part ?? {
      entry: mailEntry,
      externalId: mailPartId(messageId, target),
    };
    return { ...rest, ...mail, entry, externalId };
  }

  return {
    async receive({ mail, events, raw, id }) {
      const found = await find(mail);
      if (!found) return "unknown";
      const { messageSeq, messageId, target, projectId, endpoint } = found;
      const suppressionKey = suppressionKeyOf(endpoint);
      const event = eventFor(suppressionKey, events);
      if (!event) return "unknown";
      const now = clock.now();
      const { recipients, at, ...said } = event;
      const [recipient] = recipients;
      const { isNew, suppressed } = await store.recordMailEvent(
        {
          ...said,
          at: timeOf(at, now),
          receivedAt: now,
          ...(recipient !== undefined && { recipient }),
          raw: storable(raw).slice(0, maxRawCharacters),
          messageSeq,
          target,
          projectId,
          entry: found.entry,
          externalId: found.externalId,
          suppressionKey,
          fingerprint: fingerprintOf(id === undefined ? event : { id }),
        },
        {
          address: endpoint,
          deliveryId: toDeliveryId(messageId, target),
          softBounces: softBounces(),
        },
      );
      if (isNew) {
        logger.info("mail_event", {
          messageId,
          target,
          event: event.event,
          ...(event.hard !== undefined && { hard: event.hard }),
          ...(event.code !== undefined && { code: event.code }),
          ...(suppressed !== undefined && { suppressed }),
        });
      }
      return isNew ? "kept" : "repeated";
    },
  };
}

/**
 * Of a mail that was passed on to several the word on the address that it was
 * sent to; else the mildest: what one of them lost others may have got.
 */
function eventFor(
  key: string,
  events: readonly ReportedEvent[],
): ReportedEvent | undefined {
  const named = events.find(({ recipients }) =>
    recipients.some((it) => suppressionKeyOf(it) === key),
  );
  return named ?? events.toSorted((a, b) => severityOf(a) - severityOf(b))[0];
}

function severityOf({ event, hard }: ReportedEvent): number {
  return mailEventKinds.indexOf(event) + (hard ? 0.5 : 0);
}

/** Clocks of others may be wrong. */
function timeOf(at: number | undefined, now: EpochMs): EpochMs {
  if (at === undefined || at > now || at < addMs(now, -oldestMs)) return now;
  return toEpochMs(Math.floor(at));
}

function fingerprintOf(said: object): string {
  return createHash("sha256")
    .update(JSON.stringify(Object.entries(said).sort()))
    .digest("base64url")
    .slice(0, 22);
}

/** U+0000 has no place in a database's texts. */
function storable(text: string): string {
  return text.replaceAll("\0", "\ufffd").toWellFormed();
}
