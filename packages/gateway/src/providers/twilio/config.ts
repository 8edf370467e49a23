/** What the Twilio provider needs to know. */

import type { ProviderField } from "../../provider-type.ts";
import {
  callbackUrlField,
  optional,
  secret,
  textField,
  textLike,
  urlField,
} from "../setting-fields.ts";

/** A Twilio account, and what its texts come from. */
export interface TwilioConfig {
  /** `AC` and 32 hexadecimal characters. */
  readonly accountSid: string;
  /** Signs what Twilio calls us with, and is the password of a request. */
  readonly authToken: string;
  /** In place of the account's own credentials for requests. */
  readonly apiKey?: { readonly sid: string; readonly secret: string };
  /** Sender of texts that name none: a number or a name. */
  readonly from?: string;
  /** In place of `from`: `MG` and 32 hexadecimal characters. */
  readonly messagingServiceSid?: string;
  /**
   * Where Twilio reaches this provider's routes, such as
   * `https://sms.example.com/sms/twilio`. Default: as the gateway says; where it
   * says nothing, Twilio is asked for the states of texts.
   */
  readonly callbackUrl?: string;
  /** Default `https://api.twilio.com`. */
  readonly baseUrl?: string;
}

const { schema: text } = textField;

export const twilioSchema: Readonly<Record<string, ProviderField>> = {
  accountSid: textLike(
    /^AC[0-9a-fA-F]{32}$/,
    "AC and 32 hexadecimal characters",
  ),
  authToken: secret(textField),
  apiKey: {
    schema: {
      type: "object",
      required: ["sid", "secret"],
      properties: { sid: text, secret: text },
      additionalProperties: false,
    },
    expected: 'an object of "sid" and "secret"',
    isOptional: true,
    isSecret: ["secret"],
  },
  from: optional({ ...textField, expected: "a number or a name" }),
  messagingServiceSid: optional(
    textLike(/^MG[0-9a-fA-F]{32}$/, "MG and 32 hexadecimal characters"),
  ),
  callbackUrl: callbackUrlField,
  baseUrl: optional(urlField),
};
