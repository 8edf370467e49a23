/**
 * Texts through Clickatell's older HTTP API: a form a text, answered in a line
 * of text; receipts and texts from phones come as forms or queries. Source:
 * "HTTP API Specification" and "Two-way technical guide".
 */

import {
  answerText,
  invalidAnswer,
  isSuccess,
  toBalance,
} from "../../carrier-answer.ts";
import { decodeText } from "../../charset.ts";
import { equalsConstantTime } from "../../constant-time.ts";
import type { ProviderError } from "../../errors.ts";
import {
  fieldOf,
  queryOf,
  type RawForm,
  readRawForm,
} from "../../form-reading.ts";
import type { HttpResponse } from "../../http.ts";
import { errorFromHttpStatus } from "../../http-status-error.ts";
import { IncomingMessage } from "../../incoming-message.ts";
import type { OutgoingMessage } from "../../outgoing-message.ts";
import { type Balance, Provider, type SendContext } from "../../provider.ts";
import { defineProviderType } from "../../provider-type.ts";
import {
  ForbiddenRequestError,
  MalformedRequestError,
  type Receiver,
  type ReceiverRequest,
  textResponse,
} from "../../receiver.ts";
import { parseRetryAfter } from "../../retry-after.ts";
import { secretsIn } from "../setting-fields.ts";
import { type ClickatellHttpConfig, clickatellHttpSchema } from "./config.ts";
import { parseLocalTime } from "./local-time.ts";
import { describeClickatellHttpCode, toError, toStatus } from "./status.ts";
import { textForm } from "./text-form.ts";

const defaultBaseUrl = "https://api.clickatell.com";

const methods = ["GET", "POST"] as const;

/** Sends through an account's HTTP API, and receives what comes to it. */
export class ClickatellHttpProvider extends Provider {
  readonly #config: ClickatellHttpConfig;
  readonly #url: string;

  constructor(config: ClickatellHttpConfig) {
    super();
    this.#config = config;
    this.#url = `${(config.baseUrl ?? defaultBaseUrl).replace(/\/+$/, "")}/http`;
  }

  override get from(): string | undefined {
    return this.#config.from;
  }

  override get secrets(): readonly string[] {
    return secretsIn(clickatellHttpSchema, this.#config);
  }

  override async send(
    message: OutgoingMessage,
    context: SendContext = {},
  ): Promise<OutgoingMessage> {
    // Nobody would be told.
    if (this.callbackUrl(this.#config.callbackUrl) === undefined) {
      message.providerOptions.statusReport = false;
    }
    const form = textForm(message, this.#config);
    const reply = await this.#ask("sendmsg", form, context);
    const [, id] =
      /^ID:[ \t]*([^\s,:]+)(?:[ \t]+To:[ \t]*\d+)?\s*$/i.exec(reply) ?? [];
    if (id === undefined) {
      throw invalidAnswer("Clickatell", "has no id of the text");
    }
    message.msgid = id;
    return message;
  }

  /** In credits of the account. */
  override async fetchBalance(context: SendContext = {}): Promise<Balance> {
    const reply = await this.#ask("getbalance", new URLSearchParams(), context);
    const [, balance = ""] = /^Credit:\s*(-?[\d.]+)\s*$/i.exec(reply) ?? [];
    return toBalance("Clickatell", { balance });
  }

  /** What a code means, whether it came with an error or with a status. */
  override describeCode(code: string | number): string | undefined {
    return describeClickatellHttpCode(code);
  }

  override receiver(): Receiver {
    return {
      routes: [
        {
          methods,
          path: "/im",
          handle: async (request) => {
            const form = this.#readForm(request);
            const charset = textOf(form, "charset");
            await this.receiveMessage(
              new IncomingMessage(
                required(form, "from"),
                textOf(form, "text", charset),
                {
                  msgid: required(form, "moMsgId"),
                  dst: textOf(form, "to"),
                  rtime: parseLocalTime(required(form, "timestamp")),
                  meta: {
                    api_id: textOf(form, "api_id"),
                    charset,
                    udh: textOf(form, "udh"),
                  },
                },
              ),
            );
            return textResponse(200, "OK");
          },
        },
        {
          methods,
          path: "/status",
          handle: async (request) => {
            const form = this.#readForm(request);
            // Whatever is in them, they have to be there.
            for (const name of ["from", "to"]) textOf(form, name);
            // Other clients of Clickatell's know it by another name.
            const id = form.has("moMsgId") ? "moMsgId" : "apiMsgId";
            const status = numberIn(form, "status", /^\d{1,6}$/);
            await this.receiveStatus(
              toStatus(required(form, id), status, {
                rtime: new Date(this.gateway.now()),
                meta: {
                  status,
                  api_id: textOf(form, "api_id"),
                  charge: numberIn(form, "charge", /^\d{0,9}\.?\d{1,9}$/),
                  ...(form.has("cliMsgId") && {
                    cliMsgId: textOf(form, "cliMsgId"),
                  }),
                },
              }),
            );
            return textResponse(200, "OK");
          },
        },
      ],
    };
  }

  /** Answers the line of text of a method; throws what it refuses. */
  async #ask(
    method: string,
    form: URLSearchParams,
    { signal }: SendContext,
  ): Promise<string> {
    const { apiId, user, password } = this.#config;
    const credentials = { api_id: apiId, user, password };
    const body = new URLSearchParams([
      ...Object.entries(credentials),
      ...form.entries(),
    ]);
    const response = await this.gateway.http.request({
      method: "POST",
      url: `${this.#url}/${method}`,
      headers: {
        "content-type": "application/x-www-form-urlencoded; charset=utf-8",
      },
      body: body.toString(),
      ...(signal && { signal }),
    });
    const reply = answerText(response);
    const error = this.#errorIn(reply, response);
    if (error) throw error;
    return reply;
  }

  #errorIn(
    reply: string,
    { status, headers }: HttpResponse,
  ): ProviderError | undefined {
    const now = this.gateway.now();
    const retryAfterMs = parseRetryAfter(headers["retry-after"], now);
    const [, code, text = ""] =
      /^ERR:\s*(\d{1,6})(?:,[ \t]*([^\r\n]{0,200}))?/i.exec(reply) ?? [];
    if (code !== undefined) {
      return toError({
        code: Number(code),
        text: text.trim(),
        now,
        retryAfterMs,
      });
    }
    if (isSuccess({ status })) return undefined;
    return errorFromHttpStatus(
      status,
      `Clickatell refused the request: HTTP ${status}`,
      { ...(retryAfterMs !== undefined && { retryAfterMs }) },
    );
  }

  /** What is in the query wins over what is in the body. */
  #readForm({ url, headers, rawBody }: ReceiverRequest): RawForm {
    const type = headers["content-type"] ?? "";
    const isForm = /^(?:application\/x-www-form-urlencoded\b|$)/i.test(type);
    const form = new Map([
      ...(isForm ? readRawForm(decodeText(rawBody)) : []),
      ...readRawForm(queryOf(url)),
    ]);
    if (!equalsConstantTime(required(form, "api_id"), this.#config.apiId)) {
      throw new ForbiddenRequestError("The api_id is another's");
    }
    return form;
  }
}

/** It has to be there, and may be empty. */
function textOf(form: RawForm, name: string, charset?: string): string {
  const text = fieldOf(form, name, charset);
  if (text !== undefined) return text;
  throw new MalformedRequestError(`${name} is needed`);
}

function required(form: RawForm, name: string): string {
  const value = textOf(form, name);
  if (value !== "") return value;
  throw new MalformedRequestError(`${name} is needed`);
}

/** Such as 4, 004 and 0.300000. */
function numberIn(form: RawForm, name: string, pattern: RegExp): number {
  const value = required(form, name);
  if (pattern.test(value)) return Number(value);
  throw new MalformedRequestError(`${name} must be a number`);
}

/** Clickatell's older HTTP API, as a configuration names it. */
export const clickatellHttpType = defineProviderType<ClickatellHttpConfig>({
  type: "clickatell-http",
  schema: clickatellHttpSchema,
  create: (settings) => new ClickatellHttpProvider(settings),
});
