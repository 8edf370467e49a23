/**
 * The form of a request that sends a text. Source: the Query API's Publish,
 * version 2010-03-31, and "Publishing to a mobile phone".
 */

import { RequestError } from "../../errors.ts";
import type { OutgoingMessage } from "../../outgoing-message.ts";
import { rawParams } from "../../raw-params.ts";
import type { AwsSnsConfig } from "./config.ts";

/** What SNS takes, in UTF-8. */
const maxBodyOctets = 1600;

const maxPriceName = "AWS.SNS.SMS.MaxPrice";

/** Attributes by the short names that raw parameters may have. */
const attributeNames = {
  SenderID: "AWS.SNS.SMS.SenderID",
  SMSType: "AWS.SNS.SMS.SMSType",
  MaxPrice: maxPriceName,
  OriginationNumber: "AWS.MM.SMS.OriginationNumber",
  EntityId: "AWS.MM.SMS.EntityId",
  TemplateId: "AWS.MM.SMS.TemplateId",
} as const;

const attributeOf: ReadonlyMap<string, string> = new Map(
  Object.entries(attributeNames),
);

/**
 * What says whom the text goes to, what is in it, and what is done: opt-outs
 * and limits were asked about this number, and this text counted.
 */
const fixedParams = [
  ...["Action", "Version", "PhoneNumber", "TopicArn", "TargetArn"],
  ...["Message", "MessageStructure", "MessageAttributes*"],
];

/** @throws RequestError for a sender or a length that SNS does not take */
export function publishForm(
  message: OutgoingMessage,
  config: Pick<AwsSnsConfig, "from" | "smsType" | "maxPrice">,
): URLSearchParams {
  const { dst, body, src, providerOptions } = message;
  const octets = new TextEncoder().encode(body).byteLength;
  if (octets > maxBodyOctets) {
    throw new RequestError(
      `The text takes ${octets} bytes in UTF-8, Amazon SNS takes ${maxBodyOctets}`,
      { code: "TEXT_TOO_LONG" },
    );
  }
  const form = new URLSearchParams({
    Action: "Publish",
    Version: "2010-03-31",
    PhoneNumber: `+${dst}`,
    Message: body,
  });
  const attributes = new Map<string, string>();
  const sender = providerOptions.senderId || src || config.from;
  if (sender) attributes.set(...senderAttribute(sender));
  const smsType = smsTypeOf(providerOptions) ?? config.smsType;
  if (smsType !== undefined) attributes.set(attributeNames.SMSType, smsType);
  if (config.maxPrice !== undefined) {
    attributes.set(maxPriceName, String(config.maxPrice));
  }
  for (const [name, value] of rawParams(message, fixedParams)) {
    const attribute = attributeOf.get(name);
    const isAttribute = attribute !== undefined || name.startsWith("AWS.");
    const target = isAttribute ? attributes : form;
    target.delete(attribute ?? name);
    if (value != null) target.set(attribute ?? name, String(value));
  }
  [...attributes].forEach(([name, value], index) => {
    const entry = `MessageAttributes.entry.${index + 1}`;
    const type = name === maxPriceName ? "Number" : "String";
    form.set(`${entry}.Name`, name);
    form.set(`${entry}.Value.DataType`, type);
    form.set(`${entry}.Value.StringValue`, value);
  });
  return form;
}

/** A number or a name; numbers get their plus, short codes are as they are. */
function senderAttribute(sender: string): [name: string, value: string] {
  const digits = sender.replace(/^\+|[\s().-]/g, "");
  if (/^\d{3,15}$/.test(digits)) {
    const number = digits.length < 7 ? digits : `+${digits}`;
    return [attributeNames.OriginationNumber, number];
  }
  if (/^(?=.*[a-z])[a-z0-9]{1,11}$/i.test(sender)) {
    return [attributeNames.SenderID, sender];
  }
  throw new RequestError(
    "Amazon SNS takes a number or 1 to 11 letters and digits, one letter at least, as the sender",
    { code: "INVALID_SENDER" },
  );
}

function smsTypeOf({
  escalate,
  messageClass,
}: OutgoingMessage["providerOptions"]): AwsSnsConfig["smsType"] {
  if (escalate) return "Transactional";
  switch (messageClass) {
    case "otp":
    case "transactional":
      return "Transactional";
    case "bulk":
      return "Promotional";
    default:
      return undefined;
  }
}
