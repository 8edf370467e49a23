/** A backend as a provider of the gateway. */

import type { TextLimits } from "../encoding/text-limits.ts";
import { ConfigurationError, ProviderError } from "../errors.ts";
import type { MessageStatus } from "../message-status.ts";
import type { OutgoingMessage } from "../outgoing-message.ts";
import {
  type BatchContext,
  type Batching,
  Provider,
  type ProviderContext,
  type SendContext,
  type SendResult,
  type StartContext,
  type StatusPolling,
} from "../provider.ts";
import type { Backend, BackendContext, BackendMessage } from "./backend.ts";
import { toKnownError } from "./backend-errors.ts";
import { toBackendMessage } from "./backend-message.ts";
import { applyResult, toChosenId } from "./backend-result.ts";
import { toStatuses } from "./backend-status.ts";

/** How a backend is used, besides what it says itself. */
export interface BackendProviderOptions {
  /** False: `publishMessages` is not called. Default true. */
  readonly batch?: boolean | undefined;
  /** Besides those of the backend. */
  readonly secrets?: readonly string[] | undefined;
}

/** Sends by a backend, which was checked to be one. */
export class BackendProvider extends Provider {
  override readonly textLimits: TextLimits | null;
  override readonly reachesPhones: boolean;
  override readonly sendTimeoutMs: number | undefined;
  readonly #backend: Backend;
  readonly #options: BackendProviderOptions;

  constructor(backend: Backend, options: BackendProviderOptions = {}) {
    super();
    this.#backend = backend;
    this.#options = options;
    const { textLimits = {}, reachesPhones = true, timeoutMs } = backend;
    this.textLimits = textLimits;
    this.reachesPhones = reachesPhones;
    this.sendTimeoutMs = timeoutMs;
    // A method that a backend lacks the provider lacks, too.
    if (backend.publishMessages !== undefined && options.batch !== false) {
      this.sendBatch = (messages, context) =>
        this.#publishAll(messages, context);
    }
    if (backend.checkStates !== undefined) {
      this.fetchStatuses = (msgids, context) => this.#check(msgids, context);
    }
    if (backend.chooseId !== undefined) {
      this.chooseId = () => toChosenId(backend.chooseId?.());
    }
  }

  override get batching(): Batching | undefined {
    if (this.sendBatch === undefined) return undefined;
    return { maxTexts: this.#backend.maxBatchSize ?? 100 };
  }

  override get polling(): StatusPolling | undefined {
    if (this.fetchStatuses === undefined) return undefined;
    const { checkAfterMs = 30_000, maxCheckSize = 100 } = this.#backend;
    return { firstAfterMs: checkAfterMs, batchSize: maxCheckSize };
  }

  override get secrets(): readonly string[] {
    const { secrets = [] } = this.#options;
    return [...secrets, ...(this.#backend.secrets ?? [])];
  }

  override get from(): string | undefined {
    return this.#backend.getExtraMessageData?.().sender;
  }

  override senderData(message: OutgoingMessage): Record<string, unknown> {
    const { msgid } = message;
    const given = this.#toMessage(message, msgid ?? undefined);
    return { ...this.#backend.getExtraSenderData?.(given) };
  }

  override async send(
    message: OutgoingMessage,
    context: ProviderContext = {},
  ): Promise<OutgoingMessage> {
    const chosenId = this.#chooseFor(message, context.msgid);
    const given = this.#toMessage(message, chosenId);
    let result: unknown;
    try {
      result = await this.#backend.publishMessage(
        given,
        this.#toContext(context),
      );
    } catch (error) {
      throw withoutId(message, toKnownError(error));
    }
    this.#apply(message, result);
    return message;
  }

  override describeCode(code: string | number): string | undefined {
    return this.#backend.describeCode?.(code);
  }

  override async start({ signal }: StartContext = {}): Promise<void> {
    await this.#backend.start?.({ signal });
  }

  override async stop(): Promise<void> {
    await this.#backend.stop?.();
  }

  async #publishAll(
    messages: readonly OutgoingMessage[],
    context: BatchContext = {},
  ): Promise<readonly SendResult[]> {
    const { msgids = [] } = context;
    const given = messages.map((message, at) =>
      this.#toMessage(message, this.#chooseFor(message, msgids[at])),
    );
    let results: unknown;
    try {
      results = await this.#backend.publishMessages?.(
        given,
        this.#toContext(context),
      );
    } catch (error) {
      const known = toKnownError(error);
      for (const message of messages) withoutId(message, known);
      throw known;
    }
    const list: readonly unknown[] = Array.isArray(results) ? results : [];
    return messages.map((message, at) => {
      try {
        if (at >= list.length) throw noResult();
        this.#apply(message, list[at]);
        return { message };
      } catch (error) {
        // What is no error of ours leaves the outcome open as well.
        const known = error instanceof ProviderError ? error : noResult(error);
        return { message, error: known };
      }
    });
  }

  async #check(
    msgids: readonly string[],
    context: SendContext = {},
  ): Promise<readonly MessageStatus[]> {
    const rtime = new Date(this.gateway.now());
    let answer: unknown;
    try {
      answer = await this.#backend.checkStates?.(
        msgids.map((externalId) => ({ externalId })),
        this.#toContext(context),
      );
    } catch (error) {
      throw toKnownError(error);
    }
    return toStatuses(answer, rtime);
  }

  #apply(message: OutgoingMessage, result: unknown): void {
    const isAsked = this.fetchStatuses !== undefined;
    try {
      applyResult(message, result, isAsked ? "sending" : "sent");
    } catch (error) {
      throw withoutId(message, error);
    }
  }

  /** The id that a report would name, before the backend has the text. */
  #chooseFor(
    message: OutgoingMessage,
    chosen: string | undefined,
  ): string | undefined {
    const id = chosen ?? this.chooseId?.();
    if (id !== undefined) message.msgid = id;
    return id;
  }

  #toMessage(
    message: OutgoingMessage,
    chosenId: string | undefined,
  ): BackendMessage {
    return toBackendMessage(message, {
      id: message.msgid ?? this.gateway.newId(),
      sender: this.#sender(),
      chosenId: this.chooseId && chosenId,
    });
  }

  /** @throws ConfigurationError: nothing was sent */
  #sender(): string | undefined {
    try {
      return this.from;
    } catch (cause) {
      throw new ConfigurationError(
        "getExtraMessageData of the backend failed",
        {
          cause,
        },
      );
    }
  }

  #toContext({ signal }: SendContext): BackendContext {
    return {
      signal: signal ?? new AbortController().signal,
      http: this.gateway.http,
    };
  }
}

/** Nobody has it under its id, if it was not sent. */
function withoutId(message: OutgoingMessage, error: unknown): unknown {
  const isNotSent = error instanceof ProviderError && !error.outcomeUnknown;
  if (isNotSent) message.msgid = null;
  return error;
}

function noResult(cause?: unknown): ProviderError {
  return new ProviderError("The backend did not say what became of the text", {
    code: "NO_RESULT",
    outcomeUnknown: true,
    cause,
  });
}
