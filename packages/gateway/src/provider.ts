/**
 * Base of all providers: a carrier, or whatever plays one. A provider turns
 * messages into its carrier's requests, and the carrier's requests into
 * messages and statuses for the gateway's hooks.
 */

import type { TextLimits } from "./encoding/text-limits.ts";
import { ConfigurationError, type ProviderError } from "./errors.ts";
import type { Hook } from "./hook.ts";
import type { HttpClient } from "./http.ts";
import type { IncomingMessage } from "./incoming-message.ts";
import type { MessageStatus } from "./message-status.ts";
import type { OutgoingMessage } from "./outgoing-message.ts";
import type { Receiver } from "./receiver.ts";

/** What a provider is given with a message. */
export interface SendContext {
  /** An abort leaves the outcome unknown unless nothing was sent yet. */
  readonly signal?: AbortSignal;
}

/** What a provider is given with one message. */
export interface ProviderContext extends SendContext {
  /** Of a provider with `chooseId`: the id that it gave for this message. */
  readonly msgid?: string | undefined;
}

/** What a provider is given when it is started. */
export interface StartContext {
  /** An abort ends the start; the provider is left as before it. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * How a carrier is asked what became of messages: by whoever keeps them, through
 * `gateway.fetchStatuses`.
 */
export interface StatusPolling {
  /**
   * From the acceptance to the first question, in milliseconds. Long, where the
   * carrier pushes its reports and is asked only in case one was lost.
   */
  readonly firstAfterMs: number;
  /** Ids that `fetchStatuses` is given at once, at most. */
  readonly batchSize: number;
}

/** How many messages one request takes. */
export interface Batching {
  /** At most; at least 1. */
  readonly maxTexts: number;
  /** Of the texts alone, at most, in bytes of UTF-8. Default 262,144. */
  readonly maxBytes?: number;
  /**
   * A request that ends with one `RequestError` for all was refused before any of
   * it was taken: each text is then sent alone. Default: it is the error of each,
   * since some may have gone out.
   */
  readonly takesAllOrNone?: boolean;
}

/** What a provider is given with several messages. */
export interface BatchContext extends SendContext {
  /**
   * Of a provider with `chooseId`: the ids that it gave, in the order of the
   * messages; where there is none it chooses one.
   */
  readonly msgids?: readonly (string | undefined)[];
}

/** One message of a batch: sent when `error` is absent. */
export interface SendResult {
  readonly message: OutgoingMessage;
  readonly error?: ProviderError;
}

/** Money that is left with a carrier. */
export interface Balance {
  readonly amount: number;
  /** Such as `EUR`; absent where the carrier counts in credits of its own. */
  readonly currency?: string;
}

/** What a provider may use of the gateway it belongs to. */
export interface ProviderHost {
  /** Unique per gateway; forward peers recognise loops by it. */
  readonly id: string;
  readonly http: HttpClient;
  readonly onSend: Hook<OutgoingMessage>;
  readonly onReceive: Hook<IncomingMessage>;
  readonly onStatus: Hook<MessageStatus>;
  now(): number;
  /** A fresh id, unique across restarts and gateways. */
  newId(): string;
  /**
   * Where the carrier reaches the routes of a provider, without a slash at its
   * end; `undefined`: nowhere that is known.
   */
  callbackUrl(provider: string): string | undefined;
  send(
    message: OutgoingMessage,
    context?: SendContext,
  ): Promise<OutgoingMessage>;
  /** Fires `onReceive`, after what the gateway itself does with a text. */
  receive(message: IncomingMessage): Promise<void>;
  /** Fires `onStatus`, after what the gateway itself does with a status. */
  report(status: MessageStatus): Promise<void>;
}

/** A carrier as the gateway sees it; extend it to add one. */
export abstract class Provider {
  #host: ProviderHost | undefined;
  #name = "";

  /**
   * Limits the gateway checks before `send` is called; null for providers
   * that no carrier stands behind.
   */
  readonly textLimits: TextLimits | null = {};

  /**
   * Whether texts go to real phones, which costs money: they pass the gateway's
   * guard. False for providers that only play a carrier.
   */
  readonly reachesPhones: boolean = true;

  /**
   * How long `send` may take; by default as the gateway says. After that its
   * signal is aborted, and the message's outcome is called unknown.
   */
  readonly sendTimeoutMs: number | undefined = undefined;

  /**
   * How `fetchStatuses` is to be called. Default: the carrier pushes its reports,
   * or has none, and is not asked.
   */
  get polling(): StatusPolling | undefined {
    return undefined;
  }

  /**
   * Messages that are sent at the same time go out together, by `sendBatch`, as
   * many as this says. Default: each by a `send` of its own.
   */
  get batching(): Batching | undefined {
    return undefined;
  }

  /** The sender of texts that name none, where its settings have one. */
  get from(): string | undefined {
    return undefined;
  }

  /**
   * What of its settings goes with this message, and is kept with it: no secrets.
   * Default: nothing.
   */
  senderData(_message: OutgoingMessage): Readonly<Record<string, unknown>> {
    return {};
  }

  /**
   * What of its settings must not be seen in errors: carriers quote what they
   * were sent. The gateway takes it out of what `send` and `fetchStatuses` reject
   * with, besides its own callback URL and the recipient's number.
   */
  get secrets(): readonly string[] {
    return [];
  }

  /** The name it was registered under. */
  get name(): string {
    return this.#name;
  }

  get gateway(): ProviderHost {
    if (this.#host === undefined) {
      throw new ConfigurationError(
        "The provider belongs to no gateway yet; add it with addProvider",
      );
    }
    return this.#host;
  }

  /** Called once, by the gateway that the provider is added to. */
  attach(host: ProviderHost, name: string): void {
    if (this.#host !== undefined) {
      throw new ConfigurationError(
        `The provider already belongs to a gateway, as "${this.#name}"`,
      );
    }
    this.#host = host;
    this.#name = name;
  }

  /** Called when the gateway gives it up: undoes `attach` for what comes later. */
  detach?(): void;

  /**
   * Sends one message, fills in its `msgid` and `meta`, and returns the same
   * object. Rejects with a `ProviderError`.
   */
  abstract send(
    message: OutgoingMessage,
    context?: ProviderContext,
  ): Promise<OutgoingMessage>;

  /**
   * A fresh id for one message, for providers that choose ids themselves: whoever
   * keeps a ledger writes it down before the message is sent, and can ask by it
   * whatever happens. `send` is given it as `context.msgid`, or chooses one.
   */
  chooseId?(): string;

  /**
   * Several messages in one request, for carriers that can; answers a result for
   * each, in their order. What it rejects with is the error of each of them; one to
   * blame is found by sending each alone, where `batching` allows it.
   */
  sendBatch?(
    messages: readonly OutgoingMessage[],
    context?: BatchContext,
  ): Promise<readonly SendResult[]>;

  /**
   * Asks for the states of messages, at most `polling.batchSize`. Leaves out those
   * that the carrier says nothing of, or that were not asked before a request failed;
   * they are asked about again. Rejects, where nothing was found, with a
   * `ProviderError`: if it is not retryable, one of the ids is to blame.
   */
  fetchStatuses?(
    msgids: readonly string[],
    context?: SendContext,
  ): Promise<readonly MessageStatus[]>;

  /** Asks what is left of the money, for carriers that tell. */
  fetchBalance?(context?: SendContext): Promise<Balance>;

  /**
   * What a code of the carrier means, as a sentence, whether it came with an
   * error or with a status; `undefined`: that of its class says enough.
   */
  describeCode?(code: string | number): string | undefined;

  /** Opens connections, where there are any to keep. */
  start?(context?: StartContext): Promise<void>;

  /** Closes them; safe to call more than once. */
  stop?(): Promise<void>;

  /** Routes for the carrier's calls; null when it never calls. */
  receiver(): Receiver | null {
    return null;
  }

  /**
   * Where the carrier reaches this provider, without a slash at its end: as it
   * is set, else as the gateway says; `undefined`: nowhere that is known.
   */
  protected callbackUrl(configured: string | undefined): string | undefined {
    const url = configured ?? this.#host?.callbackUrl(this.#name);
    return url?.replace(/\/+$/, "");
  }

  /** Hands a received text to the hooks; rejects with the first failure. */
  protected async receiveMessage(
    message: IncomingMessage,
  ): Promise<IncomingMessage> {
    message.provider = this.#name;
    message.entry = this.#name;
    await this.gateway.receive(message);
    return message;
  }

  /** Hands a status to the hooks; rejects with the first failure. */
  protected async receiveStatus(status: MessageStatus): Promise<MessageStatus> {
    status.provider = this.#name;
    status.entry = this.#name;
    await this.gateway.report(status);
    return status;
  }
}
