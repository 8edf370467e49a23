/** What the ATS provider needs to know. */

import { createAddressMatcher } from "../../address-matcher.ts";
import type { ProviderField } from "../../provider-type.ts";
import {
  flagField,
  optional,
  prefixField,
  secret,
  textField,
  urlField,
  wholeNumber,
} from "../setting-fields.ts";

/** An account at ATS Praha, and what its texts come from. */
export interface AtsConfig {
  readonly username: string;
  readonly password: string;
  /** The project's keyword at ATS: `kw` of each text. */
  readonly keyword: string;
  /** Sender of texts that name none, as ATS knows it. */
  readonly from: string;
  /** In front of our ids at ATS, so that installations do not mix. Default: none. */
  readonly prefix?: string;
  /** For texts that say nothing of it, in minutes. Default 60. */
  readonly validity?: number;
  /** `textid` of each text, where ATS gave one. */
  readonly textid?: string;
  /** Addresses and CIDR blocks that may hand over texts. Default: all. */
  readonly allowFrom?: readonly string[];
  /** Texts sent at the same time go out in one request. Default true. */
  readonly batch?: boolean;
  /** Default `https://fik.atspraha.cz`. */
  readonly baseUrl?: string;
}

export const atsSchema: Readonly<Record<string, ProviderField>> = {
  username: textField,
  password: secret(textField),
  keyword: textField,
  from: { ...textField, expected: "a number or a name" },
  prefix: optional(prefixField),
  validity: optional(wholeNumber(1, 100_000)),
  textid: optional(textField),
  allowFrom: {
    schema: { type: "array", items: { type: "string" }, minItems: 1 },
    check: isAddressList,
    expected: "a list of IP addresses and CIDR blocks",
    isOptional: true,
  },
  batch: optional(flagField),
  baseUrl: optional(urlField),
};

/** Whether a list of texts can be matched against. */
function isAddressList(value: unknown): boolean {
  try {
    createAddressMatcher(Array.isArray(value) ? value : [""]);
    return true;
  } catch {
    return false;
  }
}
