/**
 * Texts through the XML gateway of SMS Operator: several in one request, under
 * ids of ours. It is asked what became of them, and calls nobody.
 */

import type { CarrierCode } from "../../carrier-code.ts";
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
import { escapeXml, findElements, textOf, type XmlElement } from "../../xml.ts";
import { AccountIds } from "../account-ids.ts";
import {
  type AnsweredCodes,
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
import { type SmsOperatorConfig, smsOperatorSchema } from "./config.ts";
import { describeCode, notFoundCode, toError, toStatus } from "./status.ts";

const defaultBaseUrl = "https://www.sms-operator.cz";
const path = "/webservices/webservice.aspx";

/** What a request is about, as its header has it. */
type DataType = "SMS" | "SMS-Status";

/** Sends through an account at SMS Operator. */
export class SmsOperatorProvider extends Provider {
  readonly #config: SmsOperatorConfig;
  readonly #url: string;
  readonly #ids: AccountIds;

  constructor(config: SmsOperatorConfig) {
    super();
    this.#config = config;
    const { baseUrl = defaultBaseUrl, prefix, username } = config;
    this.#url = baseUrl.replace(/\/+$/, "") + path;
    this.#ids = new AccountIds(prefix, ["sms-operator", username, this.#url]);
  }

  override get polling(): StatusPolling {
    return batchPolling;
  }

  override get batching(): Batching | undefined {
    return batchingOf(this.#config.batch);
  }

  override senderData(): Record<string, unknown> {
    return { prefix: this.#config.prefix };
  }

  override get secrets(): readonly string[] {
    return secretsIn(smsOperatorSchema, this.#config);
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
   * Leaves out what the answer does not name, and what SMS Operator does not know that
   * another account may have sent.
   */
  override async fetchStatuses(
    msgids: readonly string[],
    context: SendContext = {},
  ): Promise<readonly MessageStatus[]> {
    const codes = await askBatches(msgids, async (ids) => {
      const elements = ids.map((id) => `<SmsId>${escapeXml(id)}</SmsId>`);
      const data = elements.join("");
      return findCodes(ids, await this.#post("SMS-Status", data, context));
    });
    const rtime = new Date(this.gateway.now());
    return [...codes]
      .filter(([id, code]) => code !== notFoundCode || this.#ids.isOwn(id))
      .map(([id, code]) => toStatus(id, code, { rtime }));
  }

  /** What a status of SMS Operator means, in words. */
  override describeCode(code: CarrierCode): string | undefined {
    return describeCode(code);
  }

  #wire(context: SendContext): BatchWire {
    return {
      newId: () => this.chooseId(),
      write: writeText,
      post: async (texts, ids) => {
        const data = `<DataTemplate>${texts.join("")}</DataTemplate>`;
        const answers = await this.#post("SMS", data, context);
        return matchCodes("SMS Operator", ids, answers);
      },
      toError,
    };
  }

  async #post(
    type: DataType,
    data: string,
    context: SendContext,
  ): Promise<AnsweredCodes> {
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
    return answersIn(root);
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
