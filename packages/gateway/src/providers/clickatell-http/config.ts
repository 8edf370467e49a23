/** What the provider of Clickatell's older HTTP API needs to know. */

import type { ProviderField } from "../../provider-type.ts";
import {
  callbackUrlField,
  optional,
  secret,
  textField,
  textLike,
  urlField,
} from "../setting-fields.ts";

/** An account with an HTTP API, and what its texts come from. */
export interface ClickatellHttpConfig {
  /** Of the HTTP API, in digits. What calls us has to name it. */
  readonly apiId: string;
  /** Of the account. */
  readonly user: string;
  readonly password: string;
  /** Sender of texts that name none: a number or a name. */
  readonly from?: string;
  /**
   * Where Clickatell reaches this provider's routes, as the HTTP API was told
   * there, such as `https://sms.example.com/sms/clickatell-http`. Default: as
   * the gateway says; where it says nothing, no receipts are asked for.
   */
  readonly callbackUrl?: string;
  /** Default `https://api.clickatell.com`. */
  readonly baseUrl?: string;
}

export const clickatellHttpSchema: Readonly<Record<string, ProviderField>> = {
  apiId: textLike(/^\d{1,12}$/, "a number, written as a text"),
  user: textField,
  password: secret(textField),
  from: optional({ ...textField, expected: "a number or a name" }),
  callbackUrl: callbackUrlField,
  baseUrl: optional(urlField),
};
