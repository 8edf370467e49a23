/**
 * Texts through Twilio's Programmable Messaging: one request a text; receipts
 * and texts from phones come as signed requests. Source: "Messages resource",
 * API version 2010-04-01.
 */

import { basicAuthorization } from "../../basic-auth.ts";
import {
  answerJson,
  invalidAnswer,
  isSuccess,
  type JsonObject,
  toBalance,
} from "../../carrier-answer.ts";
import { numericCode } from "../../carrier-code.ts";
import { parseForm } from "../../form-reading.ts";
import type { HttpResponse } from "../../http.ts";
import { IncomingMessage } from "../../incoming-message.ts";
import type { MessageStatus } from "../../message-status.ts";
import type { OutgoingMessage } from "../../outgoing-message.ts";
import {
  type Balance,
  Provider,
  type SendContext,
  type StatusPolling,
} from "../../provider.ts";
import { defineProviderType } from "../../provider-type.ts";
import { rawParams } from "../../raw-params.ts";
import {
  ForbiddenRequestError,
  MalformedRequestError,
  type Receiver,
  type ReceiverRequest,
  type ReceiverResponse,
} from "../../receiver.ts";
import { parseRetryAfter } from "../../retry-after.ts";
import { withPlus } from "../../sender-plus.ts";
import { askEach } from "../ask-each.ts";
import { secretsIn } from "../setting-fields.ts";
import { describeTwilioCode } from "./codes.ts";
import { type TwilioConfig, twilioSchema } from "./config.ts";
import { isSigned } from "./signature.ts";
import { toError, toStatus } from "./status.ts";

const defaultBaseUrl = "https://api.twilio.com";

/** What Twilio takes; seconds. */
const longestValidity = 36_000;

/**
 * One request each, so not many at once. Where Twilio calls us it is asked only
 * about what it has not called about for an hour.
 */
const batchSize = 20;
const withCallback: StatusPolling = { firstAfterMs: 3_600_000, batchSize };
const withoutCallback: StatusPolling = { firstAfterMs: 30_000, batchSize };

/** Answers that say nothing, each in its route's form. */
const noContent: ReceiverResponse = { status: 204, headers: {}, body: "" };
const noReply: ReceiverResponse = {
  status: 200,
  headers: { "content-type": "text/xml; charset=utf-8" },
  body: "<Response></Response>",
};

/** Sends through a Twilio account, and receives what comes to it. */
export class TwilioProvider extends Provider {
  readonly #config: TwilioConfig;
  readonly #accountUrl: string;
  readonly #messagesUrl: string;
  readonly #authorization: string;

  constructor(config: TwilioConfig) {
    super();
    this.#config = config;
    const { accountSid, authToken, apiKey, baseUrl = defaultBaseUrl } = config;
    this.#accountUrl = `${baseUrl.replace(/\/+$/, "")}/2010-04-01/Accounts/${accountSid}`;
    this.#messagesUrl = `${this.#accountUrl}/Messages`;
    this.#authorization = basicAuthorization(
      apiKey
        ? { user: apiKey.sid, pass: apiKey.secret }
        : { user: accountSid, pass: authToken },
    );
  }

  override get polling(): StatusPolling {
    return this.#callbackUrl === undefined ? withoutCallback : withCallback;
  }

  override get from(): string | undefined {
    return this.#config.from;
  }

  override get secrets(): readonly string[] {
    return secretsIn(twilioSchema, this.#config);
  }

  override async send(
    message: OutgoingMessage,
    { signal }: SendContext = {},
  ): Promise<OutgoingMessage> {
    // Nobody is called; who wants to know asks.
    if (this.#callbackUrl === undefined) {
      message.providerOptions.statusReport = false;
    }
    const response = await this.gateway.http.request({
      method: "POST",
      url: `${this.#messagesUrl}.json`,
      headers: {
        authorization: this.#authorization,
        "content-type": "application/x-www-form-urlencoded",
      },
      body: this.#formOf(message).toString(),
      ...(signal && { signal }),
    });
    const answer = answerJson(response) ?? {};
    if (!isSuccess(response)) throw this.#refusal(response, answer);
    const { sid, status, error_code: code, error_message: reason } = answer;
    if (typeof sid !== "string" || sid === "") {
      throw invalidAnswer("Twilio", "has no id of the text");
    }
    if (status === "failed" || status === "undelivered") {
      throw toError({
        httpStatus: 400,
        code: numericCode(code),
        message: typeof reason === "string" ? reason : undefined,
      });
    }
    message.msgid = sid;
    message.meta = metaOf(answer, {
      status: "status",
      num_segments: "numSegments",
      price: "price",
      price_unit: "priceUnit",
      messaging_service_sid: "messagingServiceSid",
      date_created: "dateCreated",
    });
    return message;
  }

  /** One request each: Twilio has none for several. */
  override async fetchStatuses(
    msgids: readonly string[],
    context: SendContext = {},
  ): Promise<readonly MessageStatus[]> {
    return await askEach(msgids, this.gateway, (msgid) =>
      this.#fetchStatus(msgid, context),
    );
  }

  override async fetchBalance({ signal }: SendContext = {}): Promise<Balance> {
    const response = await this.gateway.http.request({
      method: "GET",
      url: `${this.#accountUrl}/Balance.json`,
      headers: { authorization: this.#authorization },
      ...(signal && { signal }),
    });
    const answer = answerJson(response) ?? {};
    if (!isSuccess(response)) throw this.#refusal(response, answer);
    return toBalance("Twilio", answer);
  }

  override describeCode(code: string | number): string | undefined {
    return describeTwilioCode(code);
  }

  override receiver(): Receiver {
    return {
      routes: [
        {
          methods: ["POST"],
          path: "/status",
          handle: async (request) => {
            const form = await this.#readForm(request);
            const status = toStatus(
              required(form, "MessageSid"),
              required(form, "MessageStatus"),
              {
                rtime: new Date(this.gateway.now()),
                errorCode: numericCode(form.get("ErrorCode")),
                meta: metaOf(Object.fromEntries(form), {
                  ErrorMessage: "errorMessage",
                  RawDlrDoneDate: "doneDate",
                  To: "to",
                  From: "from",
                }),
              },
            );
            if (status) await this.receiveStatus(status);
            return noContent;
          },
        },
        {
          methods: ["POST"],
          path: "/im",
          handle: async (request) => {
            const form = await this.#readForm(request);
            const text = form.get("Body");
            if (text === null)
              throw new MalformedRequestError("Body is needed");
            await this.receiveMessage(
              new IncomingMessage(required(form, "From"), text, {
                msgid: required(form, "MessageSid"),
                dst: form.get("To"),
                rtime: new Date(this.gateway.now()),
                meta: {
                  ...metaOf(Object.fromEntries(form), {
                    NumSegments: "numSegments",
                    OptOutType: "optOutType",
                    FromCountry: "fromCountry",
                  }),
                  ...mediaOf(form),
                },
              }),
            );
            return noReply;
          },
        },
      ],
    };
  }

  async #fetchStatus(
    msgid: string,
    { signal }: SendContext,
  ): Promise<MessageStatus | undefined> {
    const response = await this.gateway.http.request({
      method: "GET",
      url: `${this.#messagesUrl}/${encodeURIComponent(msgid)}.json`,
      headers: { authorization: this.#authorization },
      ...(signal && { signal }),
    });
    const answer = answerJson(response) ?? {};
    // Twilio forgot it.
    if (response.status === 404) return undefined;
    if (response.status !== 200) throw this.#refusal(response, answer);
    const { status, error_code: errorCode } = answer;
    if (typeof status !== "string") throw invalidAnswer("Twilio");
    return toStatus(msgid, status, {
      rtime: new Date(this.gateway.now()),
      errorCode: numericCode(errorCode),
    });
  }

  /** Undefined where Twilio cannot reach us. */
  get #callbackUrl(): string | undefined {
    return this.callbackUrl(this.#config.callbackUrl);
  }

  #formOf(message: OutgoingMessage): URLSearchParams {
    const { dst, body, src, providerOptions } = message;
    const { from, messagingServiceSid } = this.#config;
    const callbackUrl = this.#callbackUrl;
    const { senderId, statusReport, expires } = providerOptions;
    const form = new URLSearchParams({ To: `+${dst}`, Body: body });
    const sender = senderId ?? src ?? (messagingServiceSid ? null : from);
    if (sender != null) form.set("From", withPlus(sender));
    else if (messagingServiceSid !== undefined) {
      form.set("MessagingServiceSid", messagingServiceSid);
    }
    if (statusReport && callbackUrl !== undefined) {
      form.set("StatusCallback", `${callbackUrl}/status`);
    }
    if (expires !== null) {
      const seconds = Math.round(expires * 60);
      const validity = Math.min(Math.max(1, seconds), longestValidity);
      form.set("ValidityPeriod", String(validity));
    }
    for (const [name, value] of rawParams(message, fixedParams)) {
      form.delete(name);
      for (const one of Array.isArray(value) ? value : [value]) {
        if (one != null) form.append(name, String(one));
      }
    }
    return form;
  }

  #refusal({ status, headers }: HttpResponse, answer: JsonObject) {
    const { code, message } = answer;
    return toError({
      httpStatus: status,
      code: numericCode(code),
      message: typeof message === "string" ? message : undefined,
      retryAfterMs: parseRetryAfter(headers["retry-after"], this.gateway.now()),
    });
  }

  /** The fields of a request that the account signed. */
  async #readForm({
    url,
    headers,
    rawBody,
  }: ReceiverRequest): Promise<URLSearchParams> {
    const isForm = /^application\/x-www-form-urlencoded\b/i.test(
      headers["content-type"] ?? "",
    );
    const body = new Uint8Array(rawBody);
    const fields = isForm
      ? parseForm(new TextDecoder().decode(body))
      : undefined;
    const signature = headers["x-twilio-signature"] ?? "";
    const { authToken } = this.#config;
    if (!(await isSigned({ url, fields, body }, signature, authToken))) {
      throw new ForbiddenRequestError(
        "The signature is missing or wrong. It covers the URL that Twilio calls: behind a proxy the public URL must be set",
      );
    }
    if (fields) return fields;
    throw new MalformedRequestError("A form is needed");
  }
}

/**
 * What says whom the text goes to, what is in it, and where Twilio reports: an
 * application has an address of its own.
 */
const fixedParams = [
  ...["To", "Body", "ContentSid", "ContentVariables", "MediaUrl*"],
  ...["StatusCallback", "ApplicationSid"],
];

/** What of an answer or a form is kept, by our names for it. */
function metaOf(
  given: JsonObject,
  names: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const meta: Record<string, unknown> = {};
  for (const [theirs, ours] of Object.entries(names)) {
    const value = given[theirs];
    if (value != null && value !== "") meta[ours] = value;
  }
  return meta;
}

/** Ten at most, as Twilio has it. */
function mediaOf(form: URLSearchParams): { readonly media?: object[] } {
  const count = Math.min(Number(form.get("NumMedia")) || 0, 10);
  const media = Array.from({ length: count }, (_, n) => ({
    url: form.get(`MediaUrl${n}`),
    type: form.get(`MediaContentType${n}`),
  }));
  return count > 0 ? { media } : {};
}

function required(form: URLSearchParams, name: string): string {
  const value = form.get(name);
  if (value !== null && value !== "") return value;
  throw new MalformedRequestError(`${name} is needed`);
}

/** Twilio, as a configuration names it. */
export const twilioType = defineProviderType<TwilioConfig>({
  type: "twilio",
  schema: twilioSchema,
  create: (settings) => new TwilioProvider(settings),
});
