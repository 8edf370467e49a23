/**
 * The channel of the protocols http and https: one POST per recipient. SMN's
 * signature is made once per message, when the first recipient comes that gets
 * it; those of Standard Webhooks are made for each request.
 */

import {
  type AttemptResult,
  type AttemptSignals,
  type Channel,
  type Clock,
  deadlineSlackMs,
  type Logger,
  type Message,
  type MessageTopic,
  type PreparedMessage,
  type Protocol,
  type Recipient,
  selectText,
} from "@carillon/core";
import { createEgressConnector } from "../egress/egress-connector.ts";
import type { EgressGuard } from "../egress/egress-guard.ts";
import type { Links } from "../links.ts";
import {
  createSignedTemplate,
  createUnsignedTemplate,
  type MessageText,
  type RequestTemplate,
  textFor,
} from "./content.ts";
import { HttpAttempts } from "./http-attempts.ts";
import { httpProtocol, httpsProtocol } from "./protocol.ts";
import type { Signer } from "./signing-key.ts";
import type { WebhookKeys } from "./webhook-keys.ts";

/** What the channel signs with, goes through and is limited by. */
export interface HttpChannelOptions {
  readonly egress: EgressGuard;
  readonly signer: Signer;
  readonly webhookKeys: WebhookKeys;
  readonly links: Links;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For a whole attempt: connection, request and answer. Default 5000. */
  readonly timeoutMs?: number;
  /** Of an answer's body; a longer one ends the connection. Default 4096. */
  readonly maxResponseBytes?: number;
  /** Connections to one origin at once. Default 256. */
  readonly connectionsPerOrigin?: number;
  /** Idle connections kept for the next message, in all. Default 2048. */
  readonly idleConnections?: number;
  /** Certificate authorities (PEM) in place of the usual ones. */
  readonly ca?: string;
}

/** Builds the channel for http and https. */
export function createHttpChannel(options: HttpChannelOptions): Channel {
  return new HttpChannel(options);
}

class HttpChannel implements Channel {
  readonly name = "http";
  readonly protocols = [httpProtocol, httpsProtocol];
  readonly kind = "push";
  readonly timeoutMs: number;
  readonly #options: HttpChannelOptions;
  readonly #attempts: HttpAttempts;

  constructor(options: HttpChannelOptions) {
    const { clock, egress, ca, webhookKeys, timeoutMs = 5000 } = options;
    this.#options = options;
    this.timeoutMs = timeoutMs + deadlineSlackMs;
    this.#attempts = new HttpAttempts({
      clock,
      webhookKeys,
      timeoutMs,
      connect: createEgressConnector(egress, ca === undefined ? {} : { ca }),
      maxResponseBytes: options.maxResponseBytes ?? 4096,
      connectionsPerOrigin: options.connectionsPerOrigin ?? 256,
      idleConnections: options.idleConnections ?? 2048,
    });
  }

  prepare(message: Message): PreparedMessage {
    return new HttpMessage(message, this.#options, this.#attempts);
  }

  async close(): Promise<void> {
    this.#attempts.close();
  }
}

/** A message; written for a protocol when its first recipient comes. */
class HttpMessage implements PreparedMessage {
  readonly #message: Message;
  readonly #options: HttpChannelOptions;
  readonly #attempts: HttpAttempts;
  readonly #signed = new Map<Protocol, RequestTemplate>();
  /** Without SMN's signature. */
  readonly #unsigned = new Map<Protocol, RequestTemplate>();
  /** By text: where http and https say the same, one signature does. */
  readonly #signing = new Map<string, Promise<RequestTemplate>>();

  constructor(
    message: Message,
    options: HttpChannelOptions,
    attempts: HttpAttempts,
  ) {
    this.#message = message;
    this.#options = options;
    this.#attempts = attempts;
  }

  deliver(
    recipient: Recipient,
    signals?: AttemptSignals,
  ): Promise<AttemptResult> {
    const ready = hasOwnScheme(recipient) ? this.#unsigned : this.#signed;
    const template = ready.get(recipient.protocol);
    return template === undefined
      ? this.#writeAndDeliver(recipient, signals)
      : this.#attempts.make(template, recipient, signals);
  }

  async #writeAndDeliver(
    recipient: Recipient,
    signals: AttemptSignals | undefined,
  ): Promise<AttemptResult> {
    const { topic, audience } = this.#message;
    if (topic === undefined && audience !== "direct") {
      return {
        outcome: "rejected",
        errorClass: "internal",
        error: "Only a message to recipients of its own has no topic.",
      };
    }
    const { protocol } = recipient;
    const { clock, timeoutMs = 5000 } = this.#options;
    const begunAt = clock.monotonic();
    try {
      if (hasOwnScheme(recipient)) {
        const content = this.#contentFor(protocol, topic);
        const template = createUnsignedTemplate(content, this.#options.links);
        this.#unsigned.set(protocol, template);
        return await this.#attempts.make(template, recipient, signals);
      }
      const template = await this.#sign(protocol, topic);
      this.#signed.set(protocol, template);
      // Before that it cannot have been given up, and has no signal to read.
      const isLate = clock.monotonic() - begunAt > timeoutMs;
      if (isLate && signals?.signal.aborted) return signedTooLate;
      return await this.#attempts.make(template, recipient, signals);
    } catch (error) {
      this.#options.logger.error("signing_failed", {
        messageId: this.#message.id,
        error,
      });
      return {
        outcome: "deferred",
        errorClass: "internal",
        error: "The message could not be signed; the log says why.",
      };
    }
  }

  #sign(
    protocol: Protocol,
    topic: MessageTopic | undefined,
  ): Promise<RequestTemplate> {
    const content = this.#contentFor(protocol, topic);
    const { text } = content;
    const known = this.#signing.get(text);
    if (known !== undefined) return known;
    const { signer, links } = this.#options;
    const signing = createSignedTemplate(content, signer, links);
    this.#signing.set(text, signing);
    // The next recipient attempts again.
    signing.catch(() => this.#signing.delete(text));
    return signing;
  }

  #contentFor(
    protocol: Protocol,
    topic: MessageTopic | undefined,
  ): MessageText {
    const { content } = this.#message;
    const definition = protocol === "http" ? httpProtocol : httpsProtocol;
    const published = selectText(content, definition);
    const text = topic ? textFor(content, published, topic) : published;
    return { message: this.#message, topic, text };
  }
}

function hasOwnScheme({ signature }: Recipient): boolean {
  return signature !== undefined && signature.scheme !== "smn";
}

const signedTooLate: AttemptResult = {
  outcome: "deferred",
  errorClass: "timeout",
  error: "The message was not signed in time; nothing was sent.",
};
