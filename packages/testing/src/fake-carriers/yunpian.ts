/** A carrier that speaks Yunpian's single send, for tests: form in, JSON out. */

import {
  type CarrierFault,
  type FakeCarrier,
  startFakeCarrier,
} from "./fake-carrier.ts";

/** What was sent. */
export type FakeYunpianText = Readonly<Record<string, string>>;

export interface FakeYunpianOptions {
  readonly apiKey: string;
  /** In place of an acceptance; `undefined`: it is accepted. */
  readonly answer?: (text: FakeYunpianText) => CarrierFault | undefined;
}

/** Stands in for `https://sms.yunpian.com`. */
export interface FakeYunpian extends FakeCarrier {
  /** Oldest first. */
  readonly texts: readonly FakeYunpianText[];
}

export async function startFakeYunpian({
  apiKey,
  answer = () => undefined,
}: FakeYunpianOptions): Promise<FakeYunpian> {
  const texts: FakeYunpianText[] = [];
  let lastId = 3_310_228_000;
  const carrier = await startFakeCarrier(({ path, text }) => {
    if (path !== "/v2/sms/single_send.json") return { status: 404 };
    const fields = Object.fromEntries(new URLSearchParams(text));
    const other = answer(fields);
    if (other) return other;
    if (fields.apikey !== apiKey) {
      return { status: 400, body: { code: -1, msg: "Invalid apikey" } };
    }
    texts.push(fields);
    const sid = ++lastId;
    return { body: { code: 0, msg: "OK", count: 1, fee: 0.05, sid } };
  });
  return { ...carrier, texts };
}
