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
  Provider,
  type ProviderContext,
  type SendContext,
  type SendResult,
} from "../../provider.ts";
import { defineProviderType } from "../../provider-type.ts";
import {
  ForbiddenRequestError,
  type Receiver,
  type ReceiverRequest,
  type ReceiverResponse,
} from "../../receiver.ts";
import { escapeXml, findElements, type XmlElement } from "../../xml.ts";
import {
  askBatches,
  type BatchWire,
  batchPolling,
  type CodesById,
  matchCodes,
  parametersOf,
  sendAlone,
  sendBatches,
  toPrefixedId,
} from "../batched-texts.ts";
import { postXml } from "../post-xml.ts";
import { type AtsConfig, atsSchema } from "./config.ts";
import {
  answerTexts,
  type IntakeCode,
  idOf,
  readTexts,
  toIncoming,
} from "./inbound.ts";
import { msUntilPragueMidnight } from "./prague-time.ts";
import { describeCode, ignoredCodes, toError, toStatus } from "./status.ts";
import { TakenIds } from "./taken-ids.ts";

const defaultBaseUrl = "https://fik.atspraha.cz";
const path = "/gwfcgi/XMLServerWrapper.fcgi";

/** Sends through an account at ATS, and receives what comes to it. */
export class AtsProvider extends Provider {
  override readonly polling = batchPolling;
  readonly #config: AtsConfig;
  readonly #url: string;
  readonly #mayCall: AddressMatcher;
  readonly #taken = new TakenIds();

  constructor(config: AtsConfig) {
    super();
    this.#config = config;
    const { baseUrl = defaultBaseUrl, allowFrom } = config;
    this.#url = baseUrl.replace(/\/+$/, "") + path;
    this.#mayCall = allowFrom ? createAddressMatcher(allowFrom) : () => true;
  }

  override send(
    message: OutgoingMessage,
    context: ProviderContext = {},
  ): Promise<OutgoingMessage> {
    return sendAlone(message, this.#wire(context), context);
  }

  override chooseId(): string {
    const { prefix = "" } = this.#config;
    return toPrefixedId(prefix, this.gateway.newId());
  }

  override sendBatch(
    messages: readonly OutgoingMessage[],
    context: SendContext = {},
  ): Promise<readonly SendResult[]> {
    return sendBatches(messages, this.#wire(context), context);
  }

  /** Rejects where the answer does not name exactly the texts of the question. */
  override async fetchStatuses(
    msgids: readonly string[],
    context: SendContext = {},
  ): Promise<readonly MessageStatus[]> {
    const codes = await askBatches(msgids, (ids) => {
      const elements = ids.map(escapeXml).map((id) => {
        return `<dlr uniq="${id}">${id}</dlr>`;
      });
      return this.#post(elements, ids, context);
    });
    const rtime = new Date(this.gateway.now());
    return Array.from(codes, ([id, code]) => toStatus(id, code, { rtime }));
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
      post: (texts, ids) => this.#post(texts, ids, context),
      toError: (code) => this.#toError(code),
    };
  }

  async #post(
    elements: readonly string[],
    ids: readonly string[],
    context: SendContext,
  ): Promise<CodesById> {
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
    const answers = findElements(root, "code").map(
      ({ attributes, text }) => [attributes.get("uniq"), text] as const,
    );
    const ofTexts = answers.filter(([id]) => id !== undefined);
    const ofRequest = answers
      .filter(([id]) => id === undefined)
      .map(([, text]) => codeOfText(text))
      .find((code) => !ignoredCodes.has(code));
    if (ofRequest === undefined) return matchCodes("ATS", ids, ofTexts);
    throw this.#refusal(ofRequest, ofTexts.length > 0);
  }

  /** @param isMixed it says something of single texts, too */
  #refusal(code: CarrierCode, isMixed: boolean): MessageSendError {
    const error = this.#toError(code);
    if (error === undefined) return invalidAnswer("ATS");
    // Some of them may have been taken.
    return isMixed
      ? new MessageSendError(error.message, { code, outcomeUnknown: true })
      : error;
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
  { from, keyword, textid, validity = 60 }: AtsConfig,
): string {
  const { dst, body, src, providerOptions } = message;
  const { senderId, expires } = providerOptions;
  const minutes = expires === null ? validity : Math.round(expires);
  const attributes = new Map<string, unknown>([
    ["type", "text"],
    ["uniq", uniq],
    ["sender", senderId ?? src ?? from],
    ["recipient", `+${dst}`],
    ["opmid", ""],
    ["dlr", 1],
    ["validity", Math.max(1, minutes)],
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
