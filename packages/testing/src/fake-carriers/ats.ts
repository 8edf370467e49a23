/**
 * A carrier that speaks the XML of ATS Praha over HTTP, for tests: texts under
 * ids of the sender, questions about them, and texts from phones. Nothing of it
 * is shared with the provider that is tested.
 */

import {
  type CarrierAnswer,
  type CarrierFault,
  type FakeCarrier,
  startFakeCarrier,
} from "./fake-carrier.ts";
import { elementsOf, escapeMarkup, unescapeMarkup } from "./markup.ts";

/** A text as it was sent. */
export interface FakeAtsText {
  /** Attributes of its `sms`, and those of its body as `body.order`, … */
  readonly fields: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface FakeAtsOptions {
  readonly username: string;
  readonly password: string;
  /**
   * The code for a text in place of that of the carrier itself, or what goes
   * wrong with the whole request; `undefined`: as usual.
   */
  readonly answer?: (text: FakeAtsText) => number | CarrierFault | undefined;
}

/** A text from a phone, by the attributes of its `sms`. */
export interface FakeAtsInbound {
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
}

/** What ATS was answered. */
export interface FakeAtsReply {
  readonly status: number;
  readonly contentType: string | null;
  readonly body: string;
  /** The codes of the answer, by id. */
  readonly codes: Readonly<Record<string, string>>;
}

/** Stands in for `https://fik.atspraha.cz`. */
export interface FakeAts extends FakeCarrier {
  /** Those that were taken, oldest first. */
  readonly texts: readonly FakeAtsText[];
  /** What it says from now on of a text that it is asked about. */
  setState(uniq: string, code: number): void;
  /** Hands over texts from phones, in one request. */
  handOver(
    url: string,
    texts: readonly FakeAtsInbound[],
  ): Promise<FakeAtsReply>;
}

/** Starts on a free port of this machine. */
export async function startFakeAts({
  username,
  password,
  answer = () => undefined,
}: FakeAtsOptions): Promise<FakeAts> {
  const texts: FakeAtsText[] = [];
  const states = new Map<string, number>();

  /** The code for a text, by the rules of the carrier. */
  function codeFor({ fields, body }: FakeAtsText): number {
    if (states.has(fields.uniq ?? "")) return 310;
    if (!fields.kw) return 320;
    if (!fields.sender) return 330;
    if (fields.type !== "text") return 340;
    if (!/^\+\d{7,15}$/.test(fields.recipient ?? "")) return 350;
    if (!/^[1-9]\d*$/.test(fields.validity ?? "") || body === "") return 1;
    return 0;
  }

  function take(document: string): CarrierFault {
    const ids = elementsOf(document, "sms").map((it) => it.attributes.uniq);
    const answers: [string, number][] = [];
    for (const element of elementsOf(document, "sms")) {
      const [body] = elementsOf(element.inside, "body");
      const text: FakeAtsText = {
        fields: {
          ...element.attributes,
          ...Object.fromEntries(
            Object.entries(body?.attributes ?? {}).map(([name, value]) => [
              `body.${name}`,
              value,
            ]),
          ),
        },
        body: unescapeMarkup(body?.inside ?? ""),
      };
      const { uniq = "" } = text.fields;
      const isTwice = ids.filter((id) => id === uniq).length > 1;
      const other = isTwice ? 300 : answer(text);
      if (typeof other === "object" || typeof other === "string") return other;
      const code = other ?? codeFor(text);
      if (code === 0) {
        texts.push(text);
        states.set(uniq, 21);
      }
      answers.push([uniq, code]);
    }
    for (const { attributes } of elementsOf(document, "dlr")) {
      const { uniq = "" } = attributes;
      answers.push([uniq, states.get(uniq) ?? 20]);
    }
    return atsAnswer(answers);
  }

  const carrier = await startFakeCarrier(({ method, path, headers, text }) => {
    if (path !== "/gwfcgi/XMLServerWrapper.fcgi") return { status: 404 };
    if (method !== "POST") return atsAnswer([[undefined, 703]]);
    if (headers["content-type"] !== "text/xml") return { status: 415 };
    if (text === "") return atsAnswer([[undefined, 701]]);
    const [document] = elementsOf(text, "messages");
    const [auth] = elementsOf(document?.inside ?? "", "auth");
    if (!document || !auth) return atsAnswer([[undefined, 705]]);
    const [name] = elementsOf(auth.inside, "name");
    const [word] = elementsOf(auth.inside, "password");
    const isKnown =
      unescapeMarkup(name?.inside ?? "") === username &&
      unescapeMarkup(word?.inside ?? "") === password;
    return isKnown ? take(document.inside) : atsAnswer([[undefined, 100]]);
  });

  return {
    ...carrier,
    texts,
    setState: (uniq, code) => void states.set(uniq, code),
    async handOver(url, inbound) {
      const elements = inbound.map(({ attributes, text }) => {
        const written = Object.entries(attributes).map(
          ([key, value]) => ` ${key}="${escapeMarkup(value)}"`,
        );
        return `<sms${written.join("")}>${escapeMarkup(text)}</sms>`;
      });
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "text/xml" },
        body: `<?xml version="1.0" encoding="UTF-8"?>\n<messages>${elements.join("")}</messages>`,
      });
      const body = await response.text();
      const codes = elementsOf(body, "code").map(
        ({ attributes, inside }) => [attributes.uniq ?? "", inside] as const,
      );
      return {
        status: response.status,
        contentType: response.headers.get("content-type"),
        body,
        codes: Object.fromEntries(codes),
      };
    },
  };
}

/** The document that ATS answers with; an id may be absent. */
export function atsAnswer(
  codes: readonly (readonly [
    uniq: string | undefined,
    code: number | string,
  ])[],
): CarrierAnswer {
  const elements = codes.map(([uniq, code]) => {
    const id = uniq === undefined ? "" : ` uniq="${escapeMarkup(uniq)}"`;
    return `<code${id}>${code}</code>`;
  });
  return {
    headers: { "content-type": "text/xml; charset=utf-8" },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<status>${elements.join("\n")}<d></d></status>`,
  };
}
