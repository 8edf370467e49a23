/** What the SMS Operator provider needs to know. */

import type { ProviderField } from "../../provider-type.ts";
import {
  flagField,
  optional,
  prefixField,
  secret,
  textField,
  urlField,
} from "../setting-fields.ts";

/** An account at SMS Operator. */
export interface SmsOperatorConfig {
  readonly username: string;
  readonly password: string;
  /** In front of our ids there, so that installations do not mix. Default: none. */
  readonly prefix?: string;
  /** Texts sent at the same time go out in one request. Default true. */
  readonly batch?: boolean;
  /** Default `https://www.sms-operator.cz`. */
  readonly baseUrl?: string;
}

export const smsOperatorSchema: Readonly<Record<string, ProviderField>> = {
  username: textField,
  password: secret(textField),
  prefix: optional(prefixField),
  batch: optional(flagField),
  baseUrl: optional(urlField),
};
