/**
 * Texts through Clickatell's One API: up to 200 texts a request, each with an
 * answer of its own; receipts and texts from phones come as events. Source:
 * "One API" of Clickatell's documentation.
 */

import { checkBasicAuthorization } from "../../basic-auth.ts";
import {
  answerJson,
  asObject,
  invalidAnswer,
  isSuccess,
  type JsonObject,
  toBalance,
} from "../../carrier-answer.ts";
import { numericCode } from "../../carrier-code.ts";
import { type MessageSendError, ProviderError } from "../../errors.ts";
import { type HttpResponse, toConnectionError } from "../../http.ts";
import type { MessageStatus } from "../../message-status.ts";
import type { OutgoingMessage } from "../../outgoing-message.ts";
import {
  type Balance,
  type Batching,
  Provider,
  type SendContext,
  type SendResult,
  type StatusPolling,
} from "../../provider.ts";
import { defineProviderType } from "../../provider-type.ts";
import { rawParams } from "../../raw-params.ts";
import {
  type Receiver,
  type ReceiverRoute,
  textResponse,
} from "../../receiver.ts";
import { parseRetryAfter } from "../../retry-after.ts";
import { withoutPlus } from "../../sender-plus.ts";
import { askEach } from "../ask-each.ts";
import { secretsIn } from "../setting-fields.ts";
import { type ClickatellConfig, clickatellSchema } from "./config.ts";
import { readEvents, toInstant } from "./events.ts";
import { matchEntries } from "./match-entries.ts";
import { describeClickatellCode, toError, toStatus } from "./status.ts";

const defaultBaseUrl = "https://platform.clickatell.com";

/** What Clickatell takes. */
const maxTextsPerRequest = 200;

/**
 * One request each. Where Clickatell calls us it is asked only about what it has
 * not called about for an hour.
 */
const batchSize = 20;
const withCallback: StatusPolling = { firstAfterMs: 3_600_000, batchSize };
const withoutCallback: StatusPolling = { firstAfterMs: 30_000, batchSize };

/** Sends through an integration, and receives what comes to it. */
export class ClickatellProvider extends Provider {
  readonly #config: ClickatellConfig;
  readonly #messagesUrl: string;
  readonly #balanceUrl: string;

  constructor(config: ClickatellConfig) {
    super();
    this.#config = config;
    const url = (config.baseUrl ?? defaultBaseUrl).replace(/\/+$/, "");
    this.#messagesUrl = `${url}/v1/message`;
    this.#balanceUrl = `${url}/public-client/balance`;
  }

  override get polling(): StatusPolling {
    return this.#callbackUrl === undefined ? withoutCallback : withCallback;
  }

  override get batching(): Batching | undefined {
    const { batch = true } = this.#config;
    return batch
      ? { maxTexts: maxTextsPerRequest, takesAllOrNone: true }
      : undefined;
  }

  override get from(): string | undefined {
    return this.#config.from;
  }

  override get secrets(): readonly string[] {
    return secretsIn(clickatellSchema, this.#config);
  }

  override async send(
    message: OutgoingMessage,
    context: SendContext = {},
  ): Promise<OutgoingMessage> {
    const [result] = await this.#sendTogether([message], context);
    if (result?.error) throw result.error;
    return message;
  }

  override async sendBatch(
    messages: readonly OutgoingMessage[],
    context: SendContext = {},
  ): Promise<readonly SendResult[]> {
    const results: SendResult[] = [];
    for (let at = 0; at < messages.length; at += maxTextsPerRequest) {
      const some = messages.slice(at, at + maxTextsPerRequest);
      const hasBegun = context.signal?.aborted !== true;
      try {
        results.push(...(await this.#sendTogether(some, context)));
      } catch (cause) {
        // What went out before is not forgotten for what did not.
        const error =
          cause instanceof ProviderError
            ? cause
            : toConnectionError(cause, this.#messagesUrl, { hasBegun });
        results.push(...some.map((message) => ({ message, error })));
      }
    }
    return results;
  }

  /** One request each: Clickatell has none for several. */
  override async fetchStatuses(
    msgids: readonly string[],
    context: SendContext = {},
  ): Promise<readonly MessageStatus[]> {
    return await askEach(msgids, this.gateway, (msgid) =>
      this.#fetchStatus(msgid, context),
    );
  }

  override async fetchBalance(context: SendContext = {}): Promise<Balance> {
    const response = await this.#request("GET", this.#balanceUrl, context);
    const answer = answerJson(response) ?? {};
    if (!isSuccess(response)) throw this.#refusal(response, answer.error);
    return toBalance("Clickatell", answer);
  }

  /** What a code means, whether it came with an error or with a status. */
  override describeCode(code: string | number): string | undefined {
    return describeClickatellCode(code);
  }

  /** Every event is taken at both paths: an integration may know one alone. */
  override receiver(): Receiver {
    const handle: ReceiverRoute["handle"] = async (request) => {
      const { callbackAuth } = this.#config;
      if (callbackAuth) {
        checkBasicAuthorization(request.headers.authorization, callbackAuth);
      }
      const { messages, statuses } = readEvents(request, this.gateway.now());
      for (const message of messages) await this.receiveMessage(message);
      for (const status of statuses) await this.receiveStatus(status);
      return textResponse(200, "OK");
    };
    return {
      routes: [
        { methods: ["POST"], path: "/status", handle },
        { methods: ["POST"], path: "/im", handle },
      ],
    };
  }

  async #fetchStatus(
    msgid: string,
    context: SendContext,
  ): Promise<MessageStatus | undefined> {
    const url = `${this.#messagesUrl}/${encodeURIComponent(msgid)}`;
    const response = await this.#request("GET", url, context);
    // Clickatell forgot it.
    if (response.status === 404) return undefined;
    const answer = answerJson(response);
    if (!isSuccess(response)) throw this.#refusal(response, answer?.error);
    const channel = asObject(answer?.sms) ?? asObject(answer?.whatsapp);
    const { status: word, statusCode, timestamp } = channel ?? answer ?? {};
    if (typeof word !== "string") throw invalidAnswer("Clickatell");
    // So it answers for an id that it does not know.
    if (!channel && word === "UNKNOWN") return undefined;
    const rtime = toInstant(timestamp, this.gateway.now());
    return toStatus(msgid, { code: numericCode(statusCode), word, rtime });
  }

  /** Undefined where Clickatell is not known to reach us. */
  get #callbackUrl(): string | undefined {
    return this.callbackUrl(this.#config.callbackUrl);
  }

  /** In one request. Rejects where it ended without an answer. */
  async #sendTogether(
    messages: readonly OutgoingMessage[],
    context: SendContext,
  ): Promise<readonly SendResult[]> {
    const body = messages.map((message) => this.#toJson(message));
    const response = await this.#request(
      "POST",
      this.#messagesUrl,
      context,
      JSON.stringify({ messages: body }),
    );
    const answer = answerJson(response) ?? {};
    const entries = matchEntries(messages, answer.messages);
    return messages.map((message) => {
      const entry = entries.get(message) ?? {};
      const { apiMessageId, accepted } = entry;
      const error = asObject(entry.error) ?? asObject(answer.error);
      const isRefused = accepted === false || error || !isSuccess(response);
      if (isRefused && accepted !== true) {
        return { message, error: this.#refusal(response, error) };
      }
      const hasId = typeof apiMessageId === "string" && apiMessageId !== "";
      if (!hasId || !isSuccess(response)) {
        const problem = "does not say which text was taken";
        return { message, error: invalidAnswer("Clickatell", problem) };
      }
      message.msgid = apiMessageId;
      return { message };
    });
  }

  #toJson(message: OutgoingMessage): JsonObject {
    const { dst, body, src, providerOptions } = message;
    const { from } = this.#config;
    // Nobody would be told.
    if (this.#callbackUrl === undefined) providerOptions.statusReport = false;
    const sender = providerOptions.senderId || src || from;
    return {
      channel: "sms",
      ...(sender && { from: withoutPlus(sender) }),
      ...Object.fromEntries(rawParams(message, fixedParams)),
      to: dst,
      content: body,
    };
  }

  #request(
    method: "GET" | "POST",
    url: string,
    { signal }: SendContext,
    body?: string,
  ): Promise<HttpResponse> {
    return this.gateway.http.request({
      method,
      url,
      headers: {
        // The key alone, without the name of a scheme.
        authorization: this.#config.apiKey,
        accept: "application/json",
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body }),
      ...(signal && { signal }),
    });
  }

  #refusal(
    { status, headers }: HttpResponse,
    error: unknown,
  ): MessageSendError {
    const { code, description } = asObject(error) ?? {};
    return toError({
      httpStatus: status,
      code: numericCode(code),
      message: typeof description === "string" ? description : undefined,
      retryAfterMs: parseRetryAfter(headers["retry-after"], this.gateway.now()),
    });
  }
}

/** What says whom the text goes to, what is in it, and that it is a text. */
const fixedParams = ["to", "content", "channel"];

/** Clickatell's One API, as a configuration names it. */
export const clickatellType = defineProviderType<ClickatellConfig>({
  type: "clickatell",
  schema: clickatellSchema,
  create: (settings) => new ClickatellProvider(settings),
});
