/**
 * Texts through Amazon SNS: one request a text, to a phone number. SNS does not
 * tell what becomes of one. Texts from phones come from two-way numbers, which
 * publish them to topics that call us. Source: the Query API, version
 * 2010-03-31, and "Fanout to HTTP/S endpoints".
 */

import { answerXml, invalidAnswer, isSuccess } from "../../carrier-answer.ts";
import { bodyText, type HttpResponse } from "../../http.ts";
import { IncomingMessage } from "../../incoming-message.ts";
import type { OutgoingMessage } from "../../outgoing-message.ts";
import { Provider, type SendContext } from "../../provider.ts";
import { defineProviderType } from "../../provider-type.ts";
import {
  ForbiddenRequestError,
  type Receiver,
  ReceiverError,
  textResponse,
} from "../../receiver.ts";
import { parseRetryAfter } from "../../retry-after.ts";
import { textOf, type XmlElement } from "../../xml.ts";
import { secretsIn } from "../setting-fields.ts";
import { CertificateCache } from "./certificate-cache.ts";
import { type AwsSnsConfig, awsSnsSchema } from "./config.ts";
import { publishForm } from "./publish-form.ts";
import { signV4 } from "./signature-v4.ts";
import {
  parseCertificate,
  type SigningCertificate,
} from "./signing-certificate.ts";
import {
  isCertificateUrl,
  isConfirmationUrl,
  parseSnsMessage,
  parseSnsText,
  type SnsMessage,
} from "./sns-message.ts";
import { describeCode, toError } from "./status.ts";

/** Of a certificate and of a confirmation; SNS waits for 15 seconds. */
const fetchTimeoutMs = 5000;
const maxFetchedBytes = 64 * 1024;

/** What SNS last said of a topic that may call us. */
export type SnsSubscription = "confirmed" | "ended";

/** Sends through Amazon SNS, and receives what two-way numbers publish. */
export class AwsSnsProvider extends Provider {
  readonly #config: AwsSnsConfig;
  readonly #url: string;
  readonly #subscriptions = new Map<string, SnsSubscription>();
  readonly #certificates = new CertificateCache({
    fetch: (url) => this.#fetchCertificate(url),
    now: () => this.gateway.now(),
  });

  constructor(config: AwsSnsConfig) {
    super();
    this.#config = config;
    const { region, baseUrl } = config;
    const domain = region.startsWith("cn-")
      ? "amazonaws.com.cn"
      : "amazonaws.com";
    this.#url = new URL(baseUrl ?? `https://sns.${region}.${domain}`).href;
  }

  /** By ARNs of topics, since the start. An ended one is not asked for again. */
  get subscriptions(): ReadonlyMap<string, SnsSubscription> {
    return this.#subscriptions;
  }

  /** What a code of an error says; `undefined` for one that nobody knows. */
  override describeCode(code: string | number): string | undefined {
    return describeCode(code);
  }

  override get from(): string | undefined {
    return this.#config.from;
  }

  override get secrets(): readonly string[] {
    return secretsIn(awsSnsSchema, this.#config);
  }

  override async send(
    message: OutgoingMessage,
    { signal }: SendContext = {},
  ): Promise<OutgoingMessage> {
    // Nobody would be told.
    message.providerOptions.statusReport = false;
    const { region } = this.#config;
    const request = {
      method: "POST",
      url: this.#url,
      headers: {
        "content-type": "application/x-www-form-urlencoded; charset=utf-8",
      },
      body: publishForm(message, this.#config).toString(),
    } as const;
    const response = await this.gateway.http.request({
      ...request,
      headers: await signV4(request, this.#config, {
        region,
        service: "sns",
        now: this.gateway.now(),
      }),
      ...(signal && { signal }),
    });
    const answer = answerXml(response);
    if (!isSuccess(response) || answer?.name === "ErrorResponse") {
      throw this.#refusal(response, answer);
    }
    const isAnswer = answer?.name === "PublishResponse";
    const id = isAnswer ? textOf(answer, "MessageId") : undefined;
    if (!id) throw invalidAnswer("Amazon SNS", "has no id of the text");
    message.msgid = id;
    const requestId = answer && textOf(answer, "RequestId");
    message.meta = { ...(requestId && { requestId }) };
    return message;
  }

  override receiver(): Receiver | null {
    if (this.#config.topicArns === undefined) return null;
    return {
      routes: [
        {
          methods: ["POST"],
          path: "/im",
          handle: async ({ rawBody }) => {
            const message = parseSnsMessage(rawBody);
            await this.#verify(message);
            await this.#take(message);
            return textResponse(200, "OK");
          },
        },
      ],
    };
  }

  async #take(message: SnsMessage): Promise<void> {
    const { topicArn } = message;
    switch (message.type) {
      case "Notification":
        return this.#receive(message);
      case "SubscriptionConfirmation":
        await this.#confirm(message);
        this.#subscriptions.set(topicArn, "confirmed");
        return;
      case "UnsubscribeConfirmation":
        this.#subscriptions.set(topicArn, "ended");
        return;
      default:
        message.type satisfies never;
    }
  }

  async #receive({ message, ...envelope }: SnsMessage): Promise<void> {
    const { from, to, body, id, keyword, inReplyTo } = parseSnsText(message);
    const { topicArn, messageId, timestamp } = envelope;
    await this.receiveMessage(
      new IncomingMessage(from, body, {
        msgid: id ?? messageId,
        dst: to ?? null,
        rtime: new Date(this.gateway.now()),
        meta: {
          topicArn,
          messageId,
          timestamp,
          ...(keyword && { keyword }),
          ...(inReplyTo && { inReplyTo }),
        },
      }),
    );
  }

  async #confirm(message: SnsMessage): Promise<void> {
    const { subscribeUrl } = message;
    if (!isConfirmationUrl(subscribeUrl, message)) {
      throw new ForbiddenRequestError("SubscribeURL is none of Amazon SNS");
    }
    const { status } = await this.#fetch(subscribeUrl, "The subscription");
    if (status === 200) return;
    throw new ReceiverError(
      503,
      `The subscription could not be confirmed: Amazon SNS answered ${status}`,
    );
  }

  /** @throws ForbiddenRequestError, ReceiverError 503: to be tried again */
  async #verify(message: SnsMessage): Promise<void> {
    const { topicArn, certificateUrl, signedText, signature, hash } = message;
    // First: what comes from elsewhere has nothing fetched.
    if (!this.#config.topicArns?.includes(topicArn)) {
      throw new ForbiddenRequestError(
        "TopicArn is none of the configured ones",
      );
    }
    if (!isCertificateUrl(certificateUrl)) {
      throw new ForbiddenRequestError("SigningCertURL is none of Amazon SNS");
    }
    if (hash === undefined || signature === "") {
      throw new ForbiddenRequestError("The signature is missing or unknown");
    }
    const certificate = await this.#certificates.get(certificateUrl);
    const now = this.gateway.now();
    if (now < certificate.notBefore || now > certificate.notAfter) {
      throw new ForbiddenRequestError("The certificate is not valid now");
    }
    if (!(await certificate.verify(signedText, signature, hash))) {
      throw new ForbiddenRequestError("The signature is wrong");
    }
  }

  async #fetchCertificate(url: string): Promise<SigningCertificate> {
    const response = await this.#fetch(url, "The certificate");
    const { status } = response;
    if (status === 403 || status === 404) {
      throw new ForbiddenRequestError("Amazon SNS has no such certificate");
    }
    if (status !== 200) {
      throw new ReceiverError(
        503,
        `The certificate could not be fetched: Amazon SNS answered ${status}`,
      );
    }
    try {
      return await parseCertificate(bodyText(response));
    } catch (cause) {
      throw new ReceiverError(503, "The certificate cannot be read", { cause });
    }
  }

  async #fetch(url: string, what: string): Promise<HttpResponse> {
    try {
      return await this.gateway.http.request({
        method: "GET",
        url,
        timeoutMs: fetchTimeoutMs,
        maxResponseBytes: maxFetchedBytes,
      });
    } catch (cause) {
      throw new ReceiverError(503, `${what}: Amazon SNS is out of reach`, {
        cause,
      });
    }
  }

  #refusal(
    response: HttpResponse,
    answer: XmlElement | undefined,
  ): ReturnType<typeof toError> {
    const { status, headers } = response;
    const find = (name: string) =>
      (answer && textOf(answer, name)) || undefined;
    return toError({
      httpStatus: isSuccess(response) ? 400 : status,
      code: find("Code"),
      message: find("Message"),
      retryAfterMs: parseRetryAfter(headers["retry-after"], this.gateway.now()),
    });
  }
}

/** Amazon SNS, as a configuration names it. */
export const awsSnsType = defineProviderType<AwsSnsConfig>({
  type: "aws-sns",
  schema: awsSnsSchema,
  create: (settings) => new AwsSnsProvider(settings),
});
