/**
 * The channel of the protocol sms: texts through the gateway, which chooses
 * the carrier. It costs money, so what may have gone out is never repeated.
 */

import {
  type AttemptResult,
  type AttemptSignals,
  type CarrierPolls,
  type Channel,
  defaultPriority,
  type FailedResult,
  type Logger,
  type Message,
  type PreparedMessage,
  type ProtocolDefinition,
  type Recipient,
  type RouteChoice,
  toDeliveryId,
} from "@carillon/core";
import {
  AttemptRoute,
  analyze,
  Deadline,
  type Gateway,
  type MessageRecord,
  OutgoingMessage,
  type StatusPolling,
} from "@carillon/gateway";
import type { Links } from "../links.ts";
import { maxTextCharacters, writeText } from "./content.ts";
import {
  outcomeOfError,
  outcomeOfSent,
  outcomeOfTimeout,
  withSenderData,
} from "./outcome.ts";
import { createSmsPolls } from "./polls.ts";
import { smsProtocol } from "./protocol.ts";
import { UnforeseenErrors } from "./unforeseen-errors.ts";

/** The gateway that texts go through, and how long they may be. */
export interface SmsChannelOptions {
  readonly gateway: Pick<
    Gateway,
    | "send"
    | "sendThrough"
    | "chooseRoute"
    | "onLateSend"
    | "policy"
    | "pollingOf"
    | "fetchStatuses"
  >;
  readonly links: Links;
  readonly logger: Logger;
  /** Whether to ask carriers for delivery receipts, and for states. Default true. */
  readonly statusReports?: boolean;
  /**
   * Longer texts are not sent; asked for each. Default: what 1000 characters
   * take.
   */
  readonly maxSegments?: () => number;
  /** For a whole attempt. Default 30 s. */
  readonly timeoutMs?: number;
}

/** Builds the channel for texts. It is billable. */
export function createSmsChannel(options: SmsChannelOptions): Channel {
  return new SmsChannel(options);
}

/** What of a text the outcome of its attempt is made of. */
interface TextFacts {
  readonly segments: number;
  readonly wantsReport: boolean;
}

class SmsChannel implements Channel {
  readonly name = "sms";
  readonly protocols: readonly ProtocolDefinition[];
  readonly kind = "billable";
  readonly timeoutMs: number;
  readonly polls: CarrierPolls;
  readonly #options: SmsChannelOptions;
  readonly #closing = new AbortController();
  readonly #unforeseen: UnforeseenErrors;

  constructor(options: SmsChannelOptions) {
    this.#options = options;
    this.timeoutMs = options.timeoutMs ?? 30_000;
    this.#unforeseen = new UnforeseenErrors(options.logger);
    this.protocols = [
      {
        ...smsProtocol,
        problemWithLength: (text) => problemWithLength(text, this.#maxSegments),
      },
    ];
    this.polls = createSmsPolls(options.gateway, options.logger);
    // An operator who settles an unknown outcome looks for this line.
    options.gateway.onLateSend.add(({ msgid, provider }) =>
      options.logger.warn("sms_accepted_late", { msgid, provider }),
    );
  }

  prepare(message: Message): PreparedMessage {
    const text = writeText(message, this.#options.links);
    if (text === undefined) return refusal("An invitation needs a topic.");
    const problem = problemWithLength(text, this.#maxSegments);
    if (problem !== undefined) return refusal(`The text ${problem}.`);
    const { segments } = analyze(text);
    return {
      chooseRoute: (recipient, tried) =>
        this.#options.gateway.chooseRoute(
          this.#write(message, recipient, text),
          tried,
          {
            project: message.projectId,
            text: `${message.id}/${recipient.target}`,
          },
        ),
      deliver: (recipient, signals, route) =>
        this.#send(
          this.#write(message, recipient, text, signals?.lifeLeftMs),
          { segments, wantsReport: this.#wantsReport(message) },
          signals,
          route,
        ),
    };
  }

  get #maxSegments(): number {
    return this.#options.maxSegments?.() ?? Number.POSITIVE_INFINITY;
  }

  async close(): Promise<void> {
    this.#closing.abort();
  }

  #outcomeOf(
    sent: OutgoingMessage,
    { segments, wantsReport }: TextFacts,
  ): AttemptResult {
    const { gateway } = this.#options;
    return outcomeOfSent(sent, segments, (name) =>
      wantsReport ? gateway.pollingOf(name) : undefined,
    );
  }

  #failureOf(result: FailedResult, outgoing: OutgoingMessage): FailedResult {
    return withSenderData(result, outgoing, (name) => this.#pollingOf(name));
  }

  #pollingOf(provider: string): StatusPolling | undefined {
    const { gateway, statusReports = true } = this.#options;
    return statusReports ? gateway.pollingOf(provider) : undefined;
  }

  /** By push or by question. */
  #wantsReport({ sms }: Message): boolean {
    return sms?.statusReport ?? this.#options.statusReports ?? true;
  }

  #write(
    message: Message,
    { endpoint, target }: Recipient,
    text: string,
    lifeLeftMs?: number,
  ): OutgoingMessage {
    const { sms = {}, class: messageClass } = message;
    const { provider, sender, allowReply, escalate, params } = sms;
    const outgoing = new OutgoingMessage(
      endpoint,
      text,
      null,
      provider ?? null,
    ).options({
      statusReport: this.#wantsReport(message),
      senderId: sender ?? null,
      messageClass: messageClass ?? null,
      expires: toExpires(sms.validityMinutes, lifeLeftMs),
      ...(allowReply !== undefined && { allowReply }),
      ...(escalate !== undefined && { escalate }),
    });
    outgoing.record = recordOf(message, endpoint, target);
    // Its own copy: a provider may change it, and there are other recipients.
    return params === undefined
      ? outgoing
      : outgoing.params(structuredClone(params));
  }

  async #send(
    outgoing: OutgoingMessage,
    facts: TextFacts,
    signals: AttemptSignals | undefined,
    route: RouteChoice | undefined,
  ): Promise<AttemptResult> {
    const attemptSignal = signals?.signal ?? this.#closing.signal;
    const closing = this.#closing.signal;
    if (attemptSignal.aborted || closing.aborted) {
      route?.release();
      return notStarted;
    }
    const { gateway, logger } = this.#options;
    using deadline = new Deadline(this.timeoutMs, attemptSignal, closing);
    const { signal } = deadline;
    try {
      // Ours: `chooseRoute` gave it.
      const sent =
        route instanceof AttemptRoute
          ? await gateway.sendThrough(outgoing, route, { signal })
          : await gateway.send(outgoing, { signal });
      return this.#outcomeOf(sent, facts);
    } catch (error) {
      if (outgoing.sentAt !== null) {
        logger.error("sms_hook_failed", { error });
        return this.#outcomeOf(outgoing, facts);
      }
      if (!signal.aborted) {
        const policy =
          route instanceof AttemptRoute ? route.policy : gateway.policy;
        this.#unforeseen.note(error, outgoing.choice?.provider);
        return this.#failureOf(outcomeOfError(error, policy), outgoing);
      }
      if (!outgoing.isHandedOver) return notStarted;
      const result = deadline.isOver
        ? outcomeOfTimeout(this.timeoutMs)
        : interrupted;
      return this.#failureOf(result, outgoing);
    }
  }
}

/** What a backend and the router see of it besides. */
function recordOf(
  { id, priority = defaultPriority, tag, extraData, relatedObjects }: Message,
  to: string,
  target: number,
): MessageRecord {
  return {
    id: toDeliveryId(id, target),
    to,
    priority,
    ...(tag !== undefined && { tag }),
    ...(extraData && { extraData }),
    relatedObjects: relatedObjects ?? [],
  };
}

/**
 * The validity that a carrier is told, in minutes: as it was asked for, but never
 * longer than what is left of the delivery's life. Below a minute it is one, for
 * carriers know nothing shorter, and 0 is endless for some.
 */
function toExpires(
  validityMinutes: number | undefined,
  lifeLeftMs = Number.POSITIVE_INFINITY,
): number | null {
  const left = Math.max(1, Math.floor(lifeLeftMs / 60_000));
  const minutes = Math.min(left, validityMinutes ?? left);
  return Number.isFinite(minutes) ? minutes : null;
}

/** As the end of a sentence that begins with the text. */
function problemWithLength(
  text: string,
  maxSegments: number,
): string | undefined {
  const characters = text.length > maxTextCharacters ? [...text].length : 0;
  if (characters > maxTextCharacters) {
    return `has ${characters} characters; a text message may have ${maxTextCharacters}`;
  }
  const { segments } = analyze(text);
  return segments > maxSegments
    ? `takes ${segments} segments; sms.maxSegments allows ${maxSegments}`
    : undefined;
}

function refusal(error: string): PreparedMessage {
  return {
    deliver: async () => ({
      outcome: "rejected",
      errorClass: "provider",
      error,
    }),
  };
}

const notStarted: AttemptResult = {
  outcome: "deferred",
  errorClass: "interrupted",
  error: "The attempt was ended before a provider had the text.",
};

const interrupted: FailedResult = {
  outcome: "unknown",
  errorClass: "interrupted",
  error: "The service was shutting down; the text may have gone out.",
};
