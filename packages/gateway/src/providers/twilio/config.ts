/** What the Twilio provider needs to know. */

import type { ProviderField } from "../../provider-type.ts";

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
   * `https://sms.example.com/sms/twilio`. Absent: no receipts are asked for.
   */
  readonly callbackUrl?: string;
  /** Default `https://api.twilio.com`. */
  readonly baseUrl?: string;
}

const isUrl = (value: unknown) =>
  typeof value === "string" && URL.canParse(value);

const text = { type: "string", minLength: 1 } as const;

const url = {
  schema: { type: "string", pattern: "^https?://" },
  check: isUrl,
  expected: "a URL that starts with http:// or https://",
  isOptional: true,
} as const satisfies ProviderField;

export const twilioSchema: Readonly<Record<string, ProviderField>> = {
  accountSid: {
    schema: { type: "string", pattern: "^AC[0-9a-fA-F]{32}$" },
    expected: "AC and 32 hexadecimal characters",
  },
  authToken: { schema: text, expected: "a text" },
  apiKey: {
    schema: {
      type: "object",
      required: ["sid", "secret"],
      properties: { sid: text, secret: text },
      additionalProperties: false,
    },
    expected: 'an object of "sid" and "secret"',
    isOptional: true,
  },
  from: { schema: text, expected: "a number or a name", isOptional: true },
  messagingServiceSid: {
    schema: { type: "string", pattern: "^MG[0-9a-fA-F]{32}$" },
    expected: "MG and 32 hexadecimal characters",
    isOptional: true,
  },
  callbackUrl: url,
  baseUrl: url,
};
