/** What the Amazon SNS provider needs to know. */

import type { ProviderField } from "../../provider-type.ts";
import {
  oneOf,
  optional,
  secret,
  textField,
  textLike,
  urlField,
} from "../setting-fields.ts";

/** An AWS account, what its texts come from, and what it is called by. */
export interface AwsSnsConfig {
  /** Such as `eu-central-1`. */
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials. They are not renewed here. */
  readonly sessionToken?: string;
  /** Sender of texts that name none: a number or a name. */
  readonly from?: string;
  /** Of texts whose class says nothing. Default: as the account has it. */
  readonly smsType?: "Promotional" | "Transactional";
  /** US dollars a text may cost. */
  readonly maxPrice?: number;
  /**
   * Topics that two-way numbers publish texts from phones to. Absent: there
   * are none, and nobody can call.
   */
  readonly topicArns?: readonly string[];
  /** Default: the region's own. */
  readonly baseUrl?: string;
}

/** Two letters at first, so that no host of another service looks like one. */
const region = "[a-z]{2}(?:-[a-z]+)+-\\d{1,2}";

/** The start of the URLs of SNS itself, as a pattern. */
export const snsOrigin: string = `https://sns\\.${region}\\.amazonaws\\.com(?:\\.cn)?`;

export const awsSnsSchema: Readonly<Record<string, ProviderField>> = {
  region: textLike(new RegExp(`^${region}$`), "a region such as eu-central-1"),
  accessKeyId: textField,
  secretAccessKey: secret(textField),
  sessionToken: secret(optional(textField)),
  from: optional({ ...textField, expected: "a number or a name" }),
  smsType: optional(oneOf("Promotional", "Transactional")),
  maxPrice: {
    schema: { type: "number", exclusiveMinimum: 0 },
    expected: "a price in US dollars",
    isOptional: true,
  },
  topicArns: {
    schema: {
      type: "array",
      items: {
        type: "string",
        pattern: `^arn:aws[a-z-]*:sns:${region}:\\d{12}:[\\w.-]{1,256}$`,
      },
      minItems: 1,
      uniqueItems: true,
    },
    expected: "a list of ARNs of topics",
    isOptional: true,
  },
  baseUrl: optional(urlField),
};
