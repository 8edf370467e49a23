/** The channel of the protocol email over a backend of the application's own. */

import {
  type AttemptResult,
  type AttemptSignals,
  type Channel,
  type Message,
  mailPartId,
  orAborted,
  type Recipient,
} from "@carillon/core";
import { Deadline } from "@carillon/gateway";
import { oneLine } from "../excerpt.ts";
import { LazyPart } from "../lazy-part.ts";
import { ByteBudget } from "./byte-budget.ts";
import {
  attachmentMemoryBytes,
  type EmailChannelOptions,
  emailTimeoutMs,
  headersOf,
} from "./channel.ts";
import { writeMail } from "./content.ts";
import { withTextPart } from "./html-text.ts";
import type { MailBackend, MailFile, OutgoingMail } from "./mail-backend.ts";
import {
  outcomeOfMailError,
  outcomeOfMailResult,
} from "./mail-backend-result.ts";
import { createSenderCheck, domainOf } from "./mail-senders.ts";
import { outcomeOfTimeout } from "./outcome.ts";
import { emailProtocol } from "./protocol.ts";

/** As of a mail server, without what is about servers. */
export interface MailBackendChannelOptions
  extends Pick<
    EmailChannelOptions,
    | "from"
    | "senders"
    | "links"
    | "logger"
    | "readAttachments"
    | "returnPath"
    | "expectsReports"
    | "timeoutMs"
  > {
  /** The name that it is configured under. */
  readonly name: string;
  readonly backend: MailBackend;
  /** What no error may show, besides what the backend says. */
  readonly secrets?: readonly string[] | undefined;
}

export function createMailBackendChannel(
  options: MailBackendChannelOptions,
): Channel {
  const { name, backend, links, logger, readAttachments, returnPath } = options;
  const { expectsReports = false, timeoutMs = emailTimeoutMs } = options;
  const isSender = createSenderCheck(options.from, options.senders);
  const secrets = [...(options.secrets ?? []), ...(backend.secrets ?? [])];
  const memory = new ByteBudget(attachmentMemoryBytes);
  const closing = new AbortController();
  const started = new LazyPart(
    async () => {
      await backend.start?.();
      return backend;
    },
    async () => {
      try {
        await backend.stop?.();
      } catch (error) {
        logger.warn("mail_backend_not_stopped", { backend: name, error });
      }
    },
  );

  function toMail(
    message: Message,
    recipient: Recipient,
    attachments: readonly MailFile[],
  ): OutgoingMail | undefined {
    const mail = writeMail(message, recipient, links);
    if (mail === undefined) return undefined;
    const { email, topic, tag, extraData = {} } = message;
    const id = mailPartId(message.id, recipient.target);
    const address = email?.from ?? options.from;
    const sender = oneLine(email?.senderName ?? topic?.displayName ?? "");
    const bounceTo = returnPath?.(message, recipient);
    return {
      id,
      from: { address, ...(sender !== "" && { name: sender }) },
      to: recipient.endpoint,
      ...(email?.replyTo !== undefined && { replyTo: email.replyTo }),
      subject: mail.subject,
      text: mail.text,
      ...(mail.html !== undefined && { html: mail.html }),
      attachments,
      headers: headersOf(message, mail),
      messageId: `<${id}@${domainOf(address)}>`,
      ...(bounceTo !== undefined && { returnPath: bounceTo }),
      ...(tag !== undefined && { tag }),
      extraData: structuredClone(extraData),
    };
  }

  async function publish(
    message: Message,
    recipient: Recipient,
    signal: AbortSignal,
  ): Promise<AttemptResult> {
    const bytes = message.attachmentBytes;
    using _ =
      bytes === undefined ? undefined : await memory.take(bytes, signal);
    const files =
      bytes === undefined
        ? []
        : ((await readAttachments?.(message.seq)) ?? []).map(
            ({ name, contentType, content, contentId }) => ({
              name,
              contentType,
              content,
              ...(contentId !== undefined && { contentId }),
            }),
          );
    if (bytes !== undefined && files.length === 0) {
      return rejected("The mail's files are not kept any more.");
    }
    const mail = toMail(message, recipient, files);
    if (mail === undefined) {
      return rejected("A message of a topic to a subscription is needed.");
    }
    if (!isSender(mail.from.address)) {
      return rejected(
        `Mails may not be sent from ${mail.from.address} (email.senders).`,
      );
    }
    const ready = await orAborted(started.get(), signal);
    const answer = await orAborted(
      Promise.resolve(ready.publishMessage(mail, { signal })),
      signal,
    );
    const facts = { provider: name, partId: mail.id, expectsReports };
    return outcomeOfMailResult(answer, facts);
  }

  async function deliver(
    message: Message,
    recipient: Recipient,
    signals: AttemptSignals | undefined,
  ): Promise<AttemptResult> {
    const signal = signals?.signal ?? closing.signal;
    using deadline = new Deadline(timeoutMs, signal, closing.signal);
    try {
      return await publish(message, recipient, deadline.signal);
    } catch (error) {
      if (deadline.isOver) {
        return { ...outcomeOfTimeout(timeoutMs), provider: name };
      }
      if (deadline.signal.aborted) {
        return {
          outcome: "deferred",
          errorClass: "interrupted",
          error: "The service was shutting down.",
        };
      }
      return outcomeOfMailError(error, name, secrets);
    }
  }

  return {
    name: "email",
    protocols: [emailProtocol],
    kind: "push",
    timeoutMs,
    async prepare(message) {
      const ready = await withTextPart(message);
      return {
        deliver: (recipient, signals) => deliver(ready, recipient, signals),
      };
    },
    async close() {
      closing.abort();
      await started.close();
    },
  };
}

function rejected(error: string): AttemptResult {
  return { outcome: "rejected", errorClass: "internal", error };
}
