/** Texts to one phone each, and where texts go. */

import type { Api } from "../api.ts";
import {
  findNumber,
  findText,
  findTexts,
  isObject,
  type JsonObject,
  readBoolean,
  readObjects,
  readText,
} from "../json.ts";
import type { RequestOptions } from "../transport.ts";
import type { SmsOptions } from "./message-to-publish.ts";
import {
  createStoredMessages,
  type StoredMessages,
  type StoredSettings,
  type TemplateSettings,
} from "./stored-messages.ts";

/** A text that is not sent. */
export interface TextToExplain {
  /** In international form, with the plus. */
  readonly recipient: string;
  readonly text: string;
  readonly class?: "otp" | "transactional" | "bulk" | undefined;
  /** That it asks for. */
  readonly sender?: string | undefined;
}

/** What a text would cost in all its segments. */
export interface TextCost extends JsonObject {
  readonly amount: number;
  readonly currency?: string | undefined;
}

/** What one rule said of a text. */
export interface RuleVerdict extends JsonObject {
  readonly rule: string;
  readonly matched: boolean;
  /** For people. */
  readonly reason: string;
}

/** A provider that a text could go through. */
export interface TextCandidate extends JsonObject {
  readonly provider: string;
  /** The text's own, else the rule's, else the provider's. */
  readonly sender?: string | undefined;
  /** `open`: it mostly failed of late and is passed over. */
  readonly breaker: string;
  /** Passed over until somebody resumes it. */
  readonly paused: boolean;
  readonly estimatedCost?: TextCost | undefined;
}

/** Where a text would go, and why. */
export interface ExplainedText extends JsonObject {
  /** Whom it would be given to first; absent: nobody, see `problems`. */
  readonly provider?: string | undefined;
  /** `policy`: a rule chose; `default`: none is for it. */
  readonly by?: string | undefined;
  readonly rule?: string | undefined;
  /** The route of that rule, in one line. */
  readonly use?: string | undefined;
  /** Whether this recipient always gets this order. */
  readonly sticky: boolean;
  /** For people. */
  readonly reason: string;
  readonly considered: readonly RuleVerdict[];
  /** In the order in which they would be tried. */
  readonly candidates: readonly TextCandidate[];
  /** `gsm7` or `ucs2`. */
  readonly encoding: string;
  readonly segments: number;
  readonly estimatedCost?: TextCost | undefined;
  /** What would keep it from being sent now: limits, guards, opt-outs. */
  readonly problems: readonly string[];
}

/** What texts carry besides; all of it is optional. */
export interface SmsSettings extends StoredSettings {
  /** Sender ID; the same as `sms.sender`. */
  readonly sender?: string | undefined;
  /**
   * What becomes of characters that do not fit the cheaper alphabet. Default: as
   * the service is set up.
   */
  readonly accents?: "keep" | "strip-ascii" | "transliterate" | undefined;
  readonly sms?: SmsOptions | undefined;
}

/** What several texts have in common. */
export interface SmsContent extends SmsSettings {
  readonly text: string;
}

/** What a template's texts carry. */
export interface SmsTemplateSettings extends SmsSettings, TemplateSettings {}

/** Sends texts, finds them again, and says where they would go. */
export interface Sms extends StoredMessages<SmsContent, SmsTemplateSettings> {
  /**
   * By which rule, through whom, at what cost. Nothing is sent or counted. For
   * operators.
   */
  explain(
    text: TextToExplain,
    options?: RequestOptions,
  ): Promise<ExplainedText>;
}

export function createSms(api: Api): Sms {
  return {
    ...createStoredMessages<SmsContent, SmsTemplateSettings>(api, "sms"),
    async explain(body, options) {
      const path = ["sms", "explain"];
      const request = {
        method: "POST",
        path,
        body,
        isIdempotent: true,
      } as const;
      return toExplained((await api(request, options)).body);
    },
  };
}

function toExplained(body: JsonObject): ExplainedText {
  return {
    ...body,
    provider: findText(body, "provider"),
    by: findText(body, "by"),
    rule: findText(body, "rule"),
    use: findText(body, "use"),
    sticky: readBoolean(body, "sticky"),
    reason: readText(body, "reason"),
    considered: readObjects(body, "considered").map((one) => ({
      ...one,
      rule: readText(one, "rule"),
      matched: readBoolean(one, "matched"),
      reason: readText(one, "reason"),
    })),
    candidates: readObjects(body, "candidates").map((one) => ({
      ...one,
      provider: readText(one, "provider"),
      sender: findText(one, "sender"),
      breaker: readText(one, "breaker"),
      paused: readBoolean(one, "paused"),
      estimatedCost: findCost(one),
    })),
    encoding: readText(body, "encoding"),
    segments: findNumber(body, "segments") ?? 0,
    estimatedCost: findCost(body),
    problems: findTexts(body, "problems"),
  };
}

function findCost({ estimatedCost }: JsonObject): TextCost | undefined {
  if (!isObject(estimatedCost)) return undefined;
  return {
    ...estimatedCost,
    amount: findNumber(estimatedCost, "amount") ?? 0,
    currency: findText(estimatedCost, "currency"),
  };
}
