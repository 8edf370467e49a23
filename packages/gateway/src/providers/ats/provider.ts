/**
 * Texts through the XML gateway of ATS Praha: several in one request, under ids
 * of ours. It is asked what became of them; texts from phones come by a request
 * that nothing but its source address proves to be its.
 */

import {
  type AddressMatcher,
  createAddressMatcher,
} from "../../address-matcher.ts";
import { invalidAnswer } from "../../carrier-answer.ts";
import { type CarrierCode, codeOfText } from "../../carrier-code.ts";
import { MessageSendError } from "../../errors.ts";
import type { MessageStatus } from "../../message-status.ts";
import type { OutgoingMessage } from "../../outgoing-message.ts";
import {
  type BatchContext,
  type Batching,
  Provider,
  type ProviderContext,
  type SendContext,
  type SendResult,
  type StatusPolling,
} from "../../provider.ts";
import { defineProviderType } from "../../provider-type.ts";
import {
  ForbiddenRequestError,
  type Receiver,
  type ReceiverRequest,
  type ReceiverResponse,
} from "../../receiver.ts";
import { escapeXml, findElements, type XmlElement } from "../../xml.ts";
import { AccountIds } from "../account-ids.ts";
import {
  askBatches,
  type BatchWire,
  batchingOf,
  batchPolling,
  findCodes,
  matchCodes,
  parametersOf,
  sendAlone,
  sendBatches,
} from "../batched-texts.ts";
import { postXml } from "../post-xml.ts";
import { secretsIn } from "../setting-fields.ts";
import { type AtsConfig, atsSchema } from "./config.ts";
import {
  answerTexts,
  type IntakeCode,
  idOf,
  readTexts,
  toIncoming,
} from "./inbound.ts";
import { msUntilPragueMidnight } from "./prague-time.ts";
import {
  describeCode,
  ignoredCodes,
  notFoundCode,
  toError,
  toStatus,
} from "./status.ts";
import { TakenIds } from "./taken-ids.ts";

const defaultBaseUrl = "https://fik.atspraha.cz";
const path = "/gwfcgi/XMLServerWrapper.fcgi";

/** Sends through an account at ATS, and receives what comes to it. */
export class AtsProvider extends Provider {
  readonly #config: AtsConfig;
  readonly #url: string;
  readonly #ids: AccountIds;
  readonly #mayCall: AddressMatcher;
  readonly #taken = new TakenIds();

  constructor(config: AtsConfig) {
    super();
    this.#config = config;
    const { baseUrl = defaultBaseUrl, allowFrom, username } = config;
    this.#url = baseUrl.replace(/\/+$/, "") + path;
    this.#ids = new AccountIds(config.prefix, ["ats", username, this.#url]);
    this.#mayCall = allowFrom ? createAddressMatcher(allowFrom) : () => true;
  }

  override get polling(): StatusPolling {
    return batchPolling;
  }

  override get batching(): Batching | undefined {
    return batchingOf(this.#config.batch);
  }

  override get from(): string {
    return this.#config.from;
  }

  /** By the names of ATS. */
  override senderData(message: OutgoingMessage): Record<string, unknown> {
    const { prefix, keyword: kw, textid } = this.#config;
    return { prefix, validity: validityOf(message, this.#config), kw, textid };
  }

  override get secrets(): readonly string[] {
    return secretsIn(atsSchema, this.#config);
  }

  override send(
    message: OutgoingMessage,
    context: ProviderContext = {},
  ): Promise<OutgoingMessage> {
    return sendAlone(message, this.#wire(context), context);
  }

  override chooseId(): string {
    return this.#ids.toId(this.gateway.newId());
  }

  override sendBatch(
    messages: readonly OutgoingMessage[],
    context: BatchContext = {},
  ): Promise<readonly SendResult[]> {
    return sendBatches(messages, this.#wire(context), context);
  }

  /**
   * Leaves out what the answer does not name, and what ATS does not know that
   * another account may have sent.
   */
  override async fetchStatuses(
    msgids: readonly string[],
    context: SendContext = {},
  ): Promise<readonly MessageStatus[]> {
    const codes = await askBatches(msgids, async (ids) => {
      const elements = ids.map(escapeXml).map((id) => {
        return `<dlr uniq="${id}">${id}</dlr>`;
      });
      const { ofTexts, refusal } = await this.#post(elements, context);
      if (refusal && ofTexts.length === 0) throw refusal;
      return findCodes(ids, ofTexts);
    });
    const rtime = new Date(this.gateway.now());
    return [...codes]
      .filter(([id, code]) => code !== notFoundCode || this.#ids.isOwn(id))
      .map(([id, code]) => toStatus(id, code, { rtime }));
  }

  /** What a code of ATS means, in words. */
  override describeCode(code: CarrierCode): string | undefined {
    return describeCode(code);
  }

  override receiver(): Receiver {
    return {
      routes: [
        {
          methods: ["POST"],
          path: "/im",
          handle: (request) => this.#receive(request),
        },
      ],
    };
  }

  #wire(context: SendContext): BatchWire {
    return {
      newId: () => this.chooseId(),
      write: (message, id) => writeText(message, id, this.#config),
      post: async (texts, ids) => {
        const { ofTexts, refusal } = await this.#post(texts, context);
        if (refusal === undefined) return matchCodes("ATS", ids, ofTexts);
        if (ofTexts.length === 0) throw refusal;
        // Some of them may have been taken.
        const { message, code = "" } = refusal;
        throw new MessageSendError(message, { code, outcomeUnknown: true });
      },
      toError: (code) => this.#toError(code),
    };
  }

  /** What ATS says of single texts, and why it refuses the request, if it does. */
  async #post(
    elements: readonly string[],
    context: SendContext,
  ): Promise<{
    readonly ofTexts: readonly (readonly [id: string, code: string])[];
    readonly refusal: MessageSendError | undefined;
  }> {
    const { username, password } = this.#config;
    const auth = `<auth><name>${escapeXml(username)}</name><password>${escapeXml(password)}</password></auth>`;
    const root = await postXml(
      this.gateway,
      {
        carrier: "ATS",
        url: this.#url,
        document: `<?xml version="1.0" encoding="UTF-8" ?>\n<messages>${auth}${elements.join("")}</messages>`,
      },
      context,
    );
    const ofTexts: [string, string][] = [];
    const ofRequest: CarrierCode[] = [];
    for (const { attributes, text } of findElements(root, "code")) {
      const id = attributes.get("uniq");
      if (id === undefined) ofRequest.push(codeOfText(text));
      else ofTexts.push([id, text]);
    }
    const code = ofRequest.find((it) => !ignoredCodes.has(it));
    const refusal =
      code === undefined
        ? undefined
        : (this.#toError(code) ?? invalidAnswer("ATS"));
    return { ofTexts, refusal };
  }

  #toError(code: CarrierCode): MessageSendError | undefined {
    return toError(code, () => msUntilPragueMidnight(this.gateway.now()));
  }

  async #receive(request: ReceiverRequest): Promise<ReceiverResponse> {
    if (!this.#mayCall(request.remoteAddress)) {
      throw new ForbiddenRequestError("Calls from this address are refused");
    }
    const texts = readTexts(request);
    if ("status" in texts) return texts;
    const answers: [string, IntakeCode][] = [];
    let failure: unknown;
    for (const text of texts) {
      try {
        const code = (await this.#take(text)) ? "taken" : "refused";
        answers.push([idOf(text.attributes), code]);
      } catch (error) {
        // It was not kept; the others may be.
        failure ??= error;
        answers.push([idOf(text.attributes), "refused"]);
      }
    }
    return answerTexts(answers, failure);
  }

  /** Whether a text could be read; rejects where it could not be kept. */
  async #take(text: XmlElement): Promise<boolean> {
    const message = toIncoming(text, this.gateway.now());
    if (!message?.msgid) return false;
    await this.#taken.takeOnce(message.msgid, () =>
      this.receiveMessage(message),
    );
    return true;
  }
}

/** What raw parameters cannot say. */
const fixedParams = ["recipient", "uniq"];

/** One text as it stands in a request. */
function writeText(
  message: OutgoingMessage,
  uniq: string,
  config: AtsConfig,
): string {
  const { from, keyword, textid } = config;
  const { dst, body, src, providerOptions } = message;
  const { senderId } = providerOptions;
  const attributes = new Map<string, unknown>([
    ["type", "text"],
    ["uniq", uniq],
    ["sender", senderId ?? src ?? from],
    ["recipient", `+${dst}`],
    ["opmid", ""],
    ["dlr", 1],
    ["validity", validityOf(message, config)],
    ["kw", keyword],
    ["textid", textid],
  ]);
  const ofBody = new Map<string, unknown>([
    ["order", 0],
    ["billing", 0],
  ]);
  for (const [name, value] of parametersOf(message, "ATS", fixedParams)) {
    (ofBody.has(name) ? ofBody : attributes).set(name, value);
  }
  return `<sms${writeAttributes(attributes)}><body${writeAttributes(ofBody)}>${escapeXml(body)}</body></sms>`;
}

/** In minutes. */
function validityOf(
  { providerOptions: { expires } }: OutgoingMessage,
  { validity = 60 }: AtsConfig,
): number {
  return Math.max(1, expires === null ? validity : Math.round(expires));
}

/** Those that have a value. */
function writeAttributes(attributes: ReadonlyMap<string, unknown>): string {
  return Array.from(attributes, ([name, value]) =>
    value == null ? "" : ` ${name}="${escapeXml(String(value))}"`,
  ).join("");
}

/** ATS Praha, as a configuration names it. */
export const atsType = defineProviderType<AtsConfig>({
  type: "ats",
  schema: atsSchema,
  create: (settings) => new AtsProvider(settings),
});
