/**
 * A carrier that speaks the XML of SMS Operator over HTTP, for tests: texts under
 * ids of the sender, and questions about them. Nothing of it is shared with the
 * provider that is tested.
 */

import {
  type CarrierAnswer,
  type CarrierFault,
  type FakeCarrier,
  startFakeCarrier,
} from "./fake-carrier.ts";
import { elementsOf, escapeMarkup, unescapeMarkup } from "./markup.ts";

/** A text that was taken, by the elements of its `DataItem`. */
export type FakeSmsOperatorText = Readonly<Record<string, string>>;

export interface FakeSmsOperatorOptions {
  readonly username: string;
  readonly password: string;
  /**
   * The status of a text in place of that of the carrier itself, or what goes
   * wrong with the whole request; `undefined`: as usual.
   */
  readonly answer?: (
    text: FakeSmsOperatorText,
  ) => number | CarrierFault | undefined;
}

/** Stands in for `https://www.sms-operator.cz`. */
export interface FakeSmsOperator extends FakeCarrier {
  /** Oldest first. */
  readonly texts: readonly FakeSmsOperatorText[];
  /** What it says from now on of a text that it is asked about. */
  setState(smsId: string, status: number): void;
}

/** Starts on a free port of this machine. */
export async function startFakeSmsOperator({
  username,
  password,
  answer = () => undefined,
}: FakeSmsOperatorOptions): Promise<FakeSmsOperator> {
  const texts: FakeSmsOperatorText[] = [];
  const states = new Map<string, number>();

  function take(data: string): CarrierFault {
    const [template] = elementsOf(data, "DataTemplate");
    const answers: [string, number][] = [];
    for (const item of elementsOf(template?.inside ?? "", "DataItem")) {
      const text = Object.fromEntries(
        Array.from(
          item.inside.matchAll(/<([\w.-]+)>([^<]*)<\/\1>/g),
          ([, name, value = ""]) => [name, unescapeMarkup(value)],
        ),
      );
      const { MobileTerminate = "", Text = "", SmsId = "" } = text;
      const other = answer(text);
      if (typeof other === "object" || typeof other === "string") return other;
      const isNumber = /^\+\d{7,15}$/.test(MobileTerminate);
      const status = other ?? (!isNumber ? 4 : Text === "" ? 5 : 11);
      if (status === 11) {
        texts.push(text);
        states.set(SmsId, status);
      }
      answers.push([SmsId, status]);
    }
    return smsOperatorAnswer(answers);
  }

  function tell(data: string): CarrierFault {
    const ids = elementsOf(data, "SmsId").map((it) =>
      unescapeMarkup(it.inside),
    );
    return smsOperatorAnswer(ids.map((id) => [id, states.get(id) ?? 15]));
  }

  const carrier = await startFakeCarrier(({ method, path, headers, text }) => {
    if (path !== "/webservices/webservice.aspx") return { status: 404 };
    if (method !== "POST") return { status: 405 };
    if (headers["content-type"] !== "text/xml") return { status: 415 };
    const [document] = elementsOf(text, "SmsServices");
    const [header] = elementsOf(document?.inside ?? "", "DataHeader");
    const [data] = elementsOf(document?.inside ?? "", "DataArray");
    if (!header || !data) return { status: 400 };
    const field = (name: string) =>
      unescapeMarkup(elementsOf(header.inside, name)[0]?.inside ?? "");
    const isKnown =
      field("UserName") === username && field("Password") === password;
    if (!isKnown) return { status: 401 };
    switch (field("DataType")) {
      case "SMS":
        return take(data.inside);
      case "SMS-Status":
        return tell(data.inside);
      default:
        return { status: 400 };
    }
  });

  return {
    ...carrier,
    texts,
    setState: (smsId, status) => void states.set(smsId, status),
  };
}

/** A document that answers with these statuses. */
export function smsOperatorAnswer(
  statuses: readonly (readonly [smsId: string, status: number | string])[],
): CarrierAnswer {
  const items = statuses.map(
    ([id, status]) =>
      `<DataItem><SmsId>${escapeMarkup(id)}</SmsId><Status>${status}</Status></DataItem>`,
  );
  return {
    headers: { "content-type": "text/xml; charset=utf-8" },
    body: `<?xml version="1.0"?>\n<SmsServices><DataArray>${items.join("\n")}</DataArray></SmsServices>`,
  };
}
