/**
 * Where services that mails go through report on them:
 * `/receivers/{secret}/email/…`, in our own format, signed, or in Mandrill's.
 */

import { CarillonError, type Clock, type Logger } from "@carillon/core";
import type { FastifyReply } from "fastify";
import {
  EventBodyError,
  readEventBody,
} from "../../mail-reports/event-body.ts";
import type {
  MailIntake,
  MailReportOutcome,
  ReceivedReport,
} from "../../mail-reports/mail-intake.ts";
import {
  isSignedByMandrill,
  readMandrillForm,
} from "../../mail-reports/mandrill-events.ts";
import { problemWithSignature } from "../../mail-reports/webhook-signature.ts";
import type { HttpApp } from "../http-app.ts";
import { rawBodyOf } from "../json-body.ts";

export interface EmailEventPorts {
  readonly intake: MailIntake;
  /** The machine's: others sign by theirs. */
  readonly clock: Pick<Clock, "now">;
  /** `undefined`: events in our own format are not taken. */
  readonly webhookSecret: () => string | undefined;
  /** `undefined`: Mandrill's are not taken; mails do not tell it their names. */
  readonly mandrillKey: () => string | undefined;
}

export interface EmailEventOptions {
  readonly logger: Logger;
  readonly publicUrl: () => string | undefined;
}

const maxBodyBytes = 1024 * 1024;
const pieceSize = 100;

/** Within a plugin that has compared the secret. */
export function emailEventRoutes(
  app: HttpApp,
  { intake, clock, webhookSecret, mandrillKey }: EmailEventPorts,
  { logger, publicUrl }: EmailEventOptions,
): void {
  app.setErrorHandler(async (error, _request, reply) => {
    const { status, words } = answerOf(error);
    if (status >= 500) logger.error("mail_report_failed", { error });
    return await reply.code(status).send({ error: words });
  });
  const options = { bodyLimit: maxBodyBytes };

  app.post(
    "/receivers/:secret/email/events",
    options,
    async (request, reply) => {
      const secret = webhookSecret();
      if (secret === undefined) {
        return await refuse(
          reply,
          403,
          "No secret for events of mails is set (email.webhookSecret).",
        );
      }
      const body = rawBodyOf(request);
      const { headers } = request;
      const problem = problemWithSignature(
        secret,
        {
          id: headers["webhook-id"],
          timestamp: headers["webhook-timestamp"],
          signature: headers["webhook-signature"],
        },
        body,
        clock.now(),
      );
      if (problem !== undefined) return await refuse(reply, 401, problem);
      const reports = readEventBody(body.toString());
      return { received: reports.length, ...(await receiveAll(reports)) };
    },
  );

  app.head("/receivers/:secret/email/mandrill", async () => "");

  app.post(
    "/receivers/:secret/email/mandrill",
    options,
    async (request, reply) => {
      const key = mandrillKey();
      if (key === undefined) {
        return await refuse(
          reply,
          403,
          "No key of Mandrill's webhook is set (email.mandrillKey).",
        );
      }
      const form = new URLSearchParams(rawBodyOf(request).toString());
      const url = `${publicUrl() ?? ""}${request.originalUrl}`;
      const signature = request.headers["x-mandrill-signature"];
      if (!isSignedByMandrill(key, url, form, signature)) {
        return await refuse(reply, 401, "The signature is wrong.");
      }
      const { reports, ignored } = readMandrillForm(form);
      return {
        received: reports.length + ignored,
        ignored,
        ...(await receiveAll(reports)),
      };
    },
  );

  /** How many came to what; all are on disk then. */
  async function receiveAll(
    reports: readonly ReceivedReport[],
  ): Promise<Record<MailReportOutcome, number>> {
    const counts = { kept: 0, repeated: 0, unknown: 0 };
    // Those of a piece are written together; between pieces others have their turn.
    for (let n = 0; n < reports.length; n += pieceSize) {
      const piece = reports.slice(n, n + pieceSize);
      for (const outcome of await Promise.all(
        piece.map((report) => intake.receive(report)),
      )) {
        counts[outcome]++;
      }
    }
    if (counts.unknown > 0) {
      logger.warn("mail_reports_unknown", { count: counts.unknown });
    }
    return counts;
  }
}

async function refuse(
  reply: FastifyReply,
  status: number,
  error: string,
): Promise<FastifyReply> {
  return await reply.code(status).send({ error });
}

/** What Fastify and the store refuse, and what is wrong with a body. */
function answerOf(error: unknown): { status: number; words: string } {
  if (error instanceof EventBodyError) {
    return { status: 400, words: error.message };
  }
  const status =
    error instanceof Error && "statusCode" in error ? error.statusCode : 0;
  if (status === 413) {
    return { status, words: `At most ${maxBodyBytes} bytes are taken.` };
  }
  if (typeof status === "number" && status >= 400 && status < 500) {
    return { status, words: "The request is malformed." };
  }
  return error instanceof CarillonError
    ? { status: 503, words: "The events could not be kept; send them again." }
    : { status: 500, words: "The events could not be kept." };
}
