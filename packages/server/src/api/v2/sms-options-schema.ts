/** The options of a message's texts as they stand in our own API. */

import { smsOptionLimits } from "@carillon/core";
import { Type } from "../../json-schema.ts";
import { failsWith } from "../validation.ts";

const optionCode = failsWith("MESSAGE_OPTION_INVALID");

const { params, paramsBytes, paramsDepth, senderNameLength, validityMinutes } =
  smsOptionLimits;

export const SmsOptions = Type.Object(
  {
    sender: Type.Optional(
      Type.String({
        description: `Sender ID: a name of 1 to ${senderNameLength} ASCII letters, digits, blanks or . _ - & with a letter in it, or a number of 3 to 15 digits, with a plus or without`,
        ...optionCode,
      }),
    ),
    provider: Type.Optional(
      Type.String({
        description:
          "Name of a configured provider: the texts go through it and through no other",
        ...optionCode,
      }),
    ),
    validityMinutes: Type.Optional(
      Type.Number({
        description: `How long the carrier may try, 1 to ${validityMinutes}; never longer than what is left of the text's life, which is also the default`,
        ...optionCode,
      }),
    ),
    allowReply: Type.Optional(
      Type.Boolean({
        description: "Whether replies are welcome; they are by default",
        ...optionCode,
      }),
    ),
    escalate: Type.Optional(
      Type.Boolean({
        description: "High priority at the carrier: faster, and dearer",
        ...optionCode,
      }),
    ),
    statusReport: Type.Optional(
      Type.Boolean({
        description:
          "Whether the carrier is asked for delivery receipts; by default as the service is set up",
        ...optionCode,
      }),
    ),
    params: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: `Raw parameters for the provider, which win over the other options; not recipient, text, account and callbacks. ${params} members, ${paramsDepth} deep, ${paramsBytes} bytes at most`,
        ...optionCode,
      }),
    ),
  },
  { title: "SmsOptions", description: "What its texts are sent with" },
);
