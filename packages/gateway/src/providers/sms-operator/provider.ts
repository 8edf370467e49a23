/**
 * Texts through the XML gateway of SMS Operator: several in one request, under
 * ids of ours. It is asked what became of them, and calls nobody.
 */

import type { CarrierCode } from "../../carrier-code.ts";
import type { MessageStatus } from "../../message-status.ts";
import type { OutgoingMessage } from "../../outgoing-message.ts";
import {
  Provider,
  type ProviderContext,
  type SendContext,
  type SendResult,
} from "../../provider.ts";
import { defineProviderType } from "../../provider-type.ts";
import { escapeXml, findElements, textOf, type XmlElement } from "../../xml.ts";
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
import { type SmsOperatorConfig, smsOperatorSchema } from "./config.ts";
import { describeCode, toError, toStatus } from "./status.ts";

const defaultBaseUrl = "https://www.sms-operator.cz";
const path = "/webservices/webservice.aspx";

/** What a request is about, as its header has it. */
type DataType = "SMS" | "SMS-Status";

/** Sends through an account at SMS Operator. */
export class SmsOperatorProvider extends Provider {
  override readonly polling = batchPolling;
  readonly #config: SmsOperatorConfig;
  readonly #url: string;

  constructor(config: SmsOperatorConfig) {
    super();
    this.#config = config;
    const { baseUrl = defaultBaseUrl } = config;
    this.#url = baseUrl.replace(/\/+$/, "") + path;
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
      const elements = ids.map((id) => `<SmsId>${escapeXml(id)}</SmsId>`);
      return this.#post("SMS-Status", elements.join(""), ids, context);
    });
    const rtime = new Date(this.gateway.now());
    return Array.from(codes, ([id, code]) => toStatus(id, code, { rtime }));
  }

  /** What a status of SMS Operator means, in words. */
  override describeCode(code: CarrierCode): string | undefined {
    return describeCode(code);
  }

  #wire(context: SendContext): BatchWire {
    return {
      newId: () => this.chooseId(),
      write: writeText,
      post: (texts, ids) => {
        const data = `<DataTemplate>${texts.join("")}</DataTemplate>`;
        return this.#post("SMS", data, ids, context);
      },
      toError,
    };
  }

  async #post(
    type: DataType,
    data: string,
    ids: readonly string[],
    context: SendContext,
  ): Promise<CodesById> {
    const { username, password } = this.#config;
    const header = `<DataHeader><DataType>${type}</DataType><UserName>${escapeXml(username)}</UserName><Password>${escapeXml(password)}</Password></DataHeader>`;
    const root = await postXml(
      this.gateway,
      {
        carrier: "SMS Operator",
        url: this.#url,
        document: `<?xml version="1.0"?>\n<SmsServices>${header}<DataArray>${data}</DataArray></SmsServices>`,
      },
      context,
    );
    return matchCodes("SMS Operator", ids, answersIn(root));
  }
}

/** Id and status of each text. What stands around them is documented nowhere. */
function answersIn(root: XmlElement): [string | undefined, string][] {
  const document: XmlElement = { ...root, children: [root] };
  return findElements(document, "DataItem").map((item) => [
    textOf(item, "SmsId"),
    textOf(item, "Status") ?? "",
  ]);
}

/** What raw parameters cannot say. */
const fixedParams = ["MobileTerminate", "Text", "SmsId"];

/** One text as it stands in a request. */
function writeText(message: OutgoingMessage, id: string): string {
  const { dst, body } = message;
  const elements = new Map<string, unknown>([
    ["MobileTerminate", `+${dst}`],
    ["Text", body],
    ["SmsId", id],
  ]);
  for (const [name, value] of parametersOf(
    message,
    "SMS Operator",
    fixedParams,
  )) {
    elements.set(name, value);
  }
  const written = Array.from(elements, ([name, value]) =>
    value == null ? "" : `<${name}>${escapeXml(String(value))}</${name}>`,
  );
  return `<DataItem>${written.join("")}</DataItem>`;
}

/** SMS Operator, as a configuration names it. */
export const smsOperatorType = defineProviderType<SmsOperatorConfig>({
  type: "sms-operator",
  schema: smsOperatorSchema,
  create: (settings) => new SmsOperatorProvider(settings),
});
