/**
 * A carrier that speaks Amazon SNS's wire format over HTTP, for tests: Publish
 * to a phone number by the Query API of 2010-03-31 with its signatures and
 * errors, and the signed messages of topics. Nothing of it is shared with the
 * provider that is tested.
 */

import { randomUUID, sign } from "node:crypto";
import { type AwsAccount, checkAwsSignature } from "./aws-signature.ts";
import {
  type CarrierAnswer,
  type CarrierFault,
  type CarrierRequest,
  type FakeCarrier,
  startFakeCarrier,
} from "./fake-carrier.ts";
import {
  type CertifiedKey,
  createCertifiedKey,
} from "./self-signed-certificate.ts";

/** A text that was accepted. */
export interface FakeSnsText {
  readonly messageId: string;
  /** `PhoneNumber`, `Message`, … and attributes by their names. */
  readonly fields: Readonly<Record<string, string>>;
}

export interface FakeSnsOptions extends Omit<AwsAccount, "service"> {
  /**
   * What is answered to a text in place of an acceptance; `undefined`: it is
   * accepted.
   */
  readonly answer?: (
    fields: Readonly<Record<string, string>>,
  ) => CarrierFault | undefined;
}

/** A message of a topic, as it is called with. */
export type SnsEnvelope = Readonly<Record<string, string>>;

export interface SnsSigning {
  /** Default `"1"`: SHA-1; `"2"` is SHA-256. */
  readonly version?: string;
  /** Of another key than the certificate at `SigningCertURL`. */
  readonly key?: CertifiedKey;
}

/** Stands in for `https://sns.{region}.amazonaws.com`. */
export interface FakeSns extends FakeCarrier {
  /** What its certificates and confirmations are fetched from. */
  readonly origin: string;
  /** Oldest first. */
  readonly texts: readonly FakeSnsText[];
  /** ARNs of topics whose subscription was confirmed. */
  readonly confirmed: readonly string[];
  /** A notification of a text from a phone. */
  textFrom(number: string, text: string): SnsEnvelope;
  /** What asks to confirm a subscription. */
  confirmation(type?: string): SnsEnvelope;
  /** The same, signed. */
  signed(envelope: SnsEnvelope, signing?: SnsSigning): Promise<SnsEnvelope>;
  /** Calls with it; answers the HTTP status. */
  call(url: string, envelope: SnsEnvelope): Promise<number>;
}

const certificatePath =
  "/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem";

let key: Promise<CertifiedKey> | undefined;

/** Of all fakes, for a key takes its time. */
function ownKey(): Promise<CertifiedKey> {
  const day = 86_400_000;
  key ??= createCertifiedKey({
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(Date.now() + 365 * day),
  });
  return key;
}

/** Starts on a free port of this machine. */
export async function startFakeSns({
  answer = () => undefined,
  ...account
}: FakeSnsOptions): Promise<FakeSns> {
  const { region } = account;
  const texts: FakeSnsText[] = [];
  const confirmed: string[] = [];
  const origin = `https://sns.${region}.amazonaws.com`;
  const topicArn = `arn:aws:sns:${region}:123456789012:texts`;
  const token = randomUUID().replaceAll("-", "").repeat(4);
  const subscribeUrl = `${origin}/?Action=ConfirmSubscription&TopicArn=${topicArn}&Token=${token}`;

  function publish(request: CarrierRequest): CarrierFault {
    const refused = checkAwsSignature(request, { ...account, service: "sns" });
    if (refused) {
      return refusal(refused.status, refused.code, refused.message);
    }
    const type = request.headers["content-type"] ?? "";
    if (!type.startsWith("application/x-www-form-urlencoded")) {
      return refusal(400, "MalformedQueryString", "A form is needed");
    }
    const { problem, fields } = readForm(new URLSearchParams(request.text));
    if (problem !== undefined) {
      return refusal(400, "InvalidParameter", `Invalid parameter: ${problem}`);
    }
    const other = answer(fields);
    if (other) return other;
    const messageId = randomUUID();
    texts.push({ messageId, fields });
    return xml(
      200,
      "PublishResponse",
      `<PublishResult><MessageId>${messageId}</MessageId></PublishResult><ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata>`,
    );
  }

  const carrier = await startFakeCarrier(async (request) => {
    const { method, path, query } = request;
    if (method === "GET" && path === certificatePath) {
      return { body: (await ownKey()).pem };
    }
    if (method === "GET" && query.get("Action") === "ConfirmSubscription") {
      const isOurs =
        query.get("TopicArn") === topicArn && query.get("Token") === token;
      if (!isOurs) return refusal(400, "InvalidParameter", "Invalid token");
      confirmed.push(topicArn);
      return xml(
        200,
        "ConfirmSubscriptionResponse",
        `<ConfirmSubscriptionResult><SubscriptionArn>${topicArn}:${randomUUID()}</SubscriptionArn></ConfirmSubscriptionResult>`,
      );
    }
    // Also below a path, as a proxy may have it.
    if (method === "POST" && path.endsWith("/")) return publish(request);
    return refusal(404, "NotFound", "There is nothing");
  });

  const envelope = (type: string, more: SnsEnvelope): SnsEnvelope => ({
    Type: type,
    MessageId: randomUUID(),
    TopicArn: topicArn,
    Timestamp: new Date().toISOString(),
    SigningCertURL: origin + certificatePath,
    ...more,
  });

  return {
    ...carrier,
    origin,
    texts,
    confirmed,
    textFrom: (number, text) =>
      envelope("Notification", {
        Message: JSON.stringify({
          originationNumber: `+${number}`,
          destinationNumber: "+15005550006",
          messageKeyword: "KEYWORD_123456789012",
          messageBody: text,
          inboundMessageId: randomUUID(),
          previousPublishedMessageId: texts.at(-1)?.messageId ?? randomUUID(),
        }),
        UnsubscribeURL: `${origin}/?Action=Unsubscribe&SubscriptionArn=${topicArn}:${randomUUID()}`,
      }),
    confirmation: (type = "SubscriptionConfirmation") =>
      envelope(type, {
        Message: `You have chosen to subscribe to the topic ${topicArn}.\nTo confirm the subscription, visit the SubscribeURL included in this message.`,
        SubscribeURL: subscribeUrl,
        Token: token,
      }),
    async signed(given, { version = "1", key: another } = {}) {
      const { privateKey } = another ?? (await ownKey());
      const algorithm = version === "2" ? "RSA-SHA256" : "RSA-SHA1";
      const text = Buffer.from(textToSign(given));
      return {
        ...given,
        SignatureVersion: version,
        Signature: sign(algorithm, text, privateKey).toString("base64"),
      };
    },
    async call(url, given) {
      const response = await fetch(url, {
        method: "POST",
        headers: {
          "content-type": "text/plain; charset=UTF-8",
          "user-agent": "Amazon Simple Notification Service Agent",
          "x-amz-sns-message-type": given.Type ?? "",
          "x-amz-sns-message-id": given.MessageId ?? "",
          "x-amz-sns-topic-arn": given.TopicArn ?? "",
        },
        body: JSON.stringify(given, null, 2),
      });
      await response.arrayBuffer();
      return response.status;
    },
  };
}

/** Names and values, a line each. */
function textToSign(given: SnsEnvelope): string {
  const names =
    given.Type === "Notification"
      ? "Message MessageId Subject Timestamp TopicArn Type"
      : "Message MessageId SubscribeURL Timestamp Token TopicArn Type";
  let text = "";
  for (const name of names.split(" ")) {
    if (given[name] !== undefined) text += `${name}\n${given[name]}\n`;
  }
  return text;
}

/** The form's fields, attributes by their names; or what is wrong with it. */
function readForm(form: URLSearchParams): {
  readonly fields: Record<string, string>;
  readonly problem?: string;
} {
  const fields: Record<string, string> = {};
  for (const [name, value] of form) {
    if (!name.startsWith("MessageAttributes.")) fields[name] = value;
  }
  const failed = (problem: string) => ({ fields, problem });
  if (fields.Action !== "Publish" || fields.Version !== "2010-03-31") {
    return failed("Action");
  }
  for (let n = 1; form.has(`MessageAttributes.entry.${n}.Name`); n++) {
    const entry = `MessageAttributes.entry.${n}`;
    const name = form.get(`${entry}.Name`) ?? "";
    const type = form.get(`${entry}.Value.DataType`);
    const value = form.get(`${entry}.Value.StringValue`) ?? "";
    const isNumber = name === "AWS.SNS.SMS.MaxPrice";
    if (type !== (isNumber ? "Number" : "String")) return failed(name);
    if (!(attributeForms[name]?.test(value) ?? true)) return failed(name);
    if (name in fields) return failed(name);
    fields[name] = value;
  }
  const { PhoneNumber = "", Message = "" } = fields;
  if (!/^\+\d{7,15}$/.test(PhoneNumber)) return failed("PhoneNumber");
  if (Message === "") return failed("Empty message");
  if (Buffer.byteLength(Message) > 1600) return failed("Message too long");
  return { fields };
}

const attributeForms: Readonly<Record<string, RegExp>> = {
  "AWS.SNS.SMS.SenderID": /^(?=.*[A-Za-z])[A-Za-z0-9]{1,11}$/,
  "AWS.SNS.SMS.SMSType": /^(?:Promotional|Transactional)$/,
  "AWS.SNS.SMS.MaxPrice": /^\d+(?:\.\d+)?$/,
  "AWS.MM.SMS.OriginationNumber": /^\+?\d{5,14}$/,
};

function xml(status: number, root: string, inside: string): CarrierAnswer {
  return {
    status,
    headers: { "content-type": "text/xml" },
    body: `<${root} xmlns="http://sns.amazonaws.com/doc/2010-03-31/">${inside}</${root}>`,
  };
}

/** An answer that refuses a request, as SNS writes it. */
export function refusal(
  status: number,
  code: string,
  message: string,
): CarrierAnswer {
  const text = message.replace(/[&<>]/g, (it) => `&#${it.charCodeAt(0)};`);
  const type = status < 500 ? "Sender" : "Receiver";
  return xml(
    status,
    "ErrorResponse",
    `<Error><Type>${type}</Type><Code>${code}</Code><Message>${text}</Message></Error><RequestId>${randomUUID()}</RequestId>`,
  );
}
