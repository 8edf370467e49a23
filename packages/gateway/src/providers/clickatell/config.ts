/** What the provider of Clickatell's One API needs to know. */

import type { Credentials } from "../../basic-auth.ts";
import type { ProviderField } from "../../provider-type.ts";
import {
  callbackUrlField,
  flagField,
  optional,
  secret,
  textField,
  urlField,
} from "../setting-fields.ts";

/** An integration of Clickatell's, and what its texts come from. */
export interface ClickatellConfig {
  /** Of the integration. */
  readonly apiKey: string;
  /** Sender of texts that name none: a two-way number of the integration. */
  readonly from?: string;
  /**
   * Where the integration reaches this provider's routes, as it was told at
   * Clickatell, such as `https://sms.example.com/sms/clickatell`. Default: as
   * the gateway says; where it says nothing, Clickatell is asked for states.
   */
  readonly callbackUrl?: string;
  /** What the integration presents when it calls: Clickatell signs nothing. */
  readonly callbackAuth?: Credentials;
  /** Texts sent at the same time go out in one request. Default true. */
  readonly batch?: boolean;
  /** Default `https://platform.clickatell.com`. */
  readonly baseUrl?: string;
}

const { schema: text } = textField;

export const clickatellSchema: Readonly<Record<string, ProviderField>> = {
  apiKey: secret(textField),
  from: optional({ ...textField, expected: "a number" }),
  callbackUrl: callbackUrlField,
  callbackAuth: {
    schema: {
      type: "object",
      required: ["user", "pass"],
      properties: { user: text, pass: text },
      additionalProperties: false,
    },
    expected: 'an object of "user" and "pass"',
    isOptional: true,
    isSecret: ["pass"],
  },
  batch: optional(flagField),
  baseUrl: optional(urlField),
};
