/**
 * The parameters of `sendmsg` for a text. Source: "HTTP API Specification",
 * message parameters.
 */

import { analyze } from "../../encoding/analyze.ts";
import { encodeUcs2 } from "../../encoding/ucs2.ts";
import { toHex } from "../../hex.ts";
import type { OutgoingMessage } from "../../outgoing-message.ts";
import { rawParams } from "../../raw-params.ts";
import { withoutPlus } from "../../sender-plus.ts";
import type { ClickatellHttpConfig } from "./config.ts";

/** What Clickatell takes; minutes. */
const longestValidity = 1440;

/** Which statuses are called for: those on the way, and the last one. */
const allStatuses = "3";

/**
 * Raw parameters that win over nothing. Opt-outs and limits were asked about
 * this number, and this text counted; whose account pays is configured.
 */
const fixedParams = [
  ...["to", "text", "unicode", "data"],
  ...["api_id", "user", "password", "session_id"],
];

/** What a carrier's gateway must be able to do for a text, as one bit each. */
const features: readonly (readonly [
  bit: number,
  isUsed: (form: URLSearchParams) => boolean,
])[] = [
  [1, () => true],
  [2, (form) => isOn(form, "binary")],
  [4, (form) => (form.get("udh") ?? "") !== ""],
  [8, (form) => isOn(form, "unicode")],
  [16, (form) => form.has("from") && !isNumber(form.get("from"))],
  [32, (form) => isNumber(form.get("from"))],
  [512, (form) => form.get("msg_type") === "SMS_FLASH"],
  [8192, (form) => isOn(form, "deliv_ack")],
  [16384, (form) => Number(form.get("concat")) > 1],
];

/** All but the credentials. */
export function textForm(
  message: OutgoingMessage,
  { from }: Pick<ClickatellHttpConfig, "from">,
): URLSearchParams {
  const { dst, body, src, providerOptions } = message;
  const { senderId, statusReport, escalate, allowReply, expires } =
    providerOptions;
  const { encoding, segments } = analyze(body, { normalize: "none" });
  const form = new URLSearchParams({ to: dst });
  if (encoding === "ucs2") {
    form.set("unicode", "1");
    form.set("text", toHex(encodeUcs2(body)));
  } else form.set("text", body);
  if (segments > 1) form.set("concat", String(segments));
  const sender = senderId || src || from;
  if (sender) form.set("from", withoutPlus(sender));
  if (statusReport) {
    form.set("deliv_ack", "1");
    form.set("callback", allStatuses);
  }
  if (escalate) form.set("escalate", "1");
  if (allowReply) form.set("mo", "1");
  if (expires !== null) {
    const minutes = Math.max(1, Math.round(expires));
    form.set("validity", String(Math.min(minutes, longestValidity)));
  }
  for (const [name, value] of rawParams(message, fixedParams)) {
    form.delete(name);
    if (value != null) form.set(name, toParameter(value));
  }
  if (!form.has("req_feat")) form.set("req_feat", String(featuresOf(form)));
  return form;
}

function featuresOf(form: URLSearchParams): number {
  return features
    .filter(([, isUsed]) => isUsed(form))
    .reduce((sum, [bit]) => sum + bit, 0);
}

function isOn(form: URLSearchParams, name: string): boolean {
  return form.get(name) === "1";
}

function isNumber(sender: string | null): boolean {
  return /^\d+$/.test(sender ?? "");
}

/** Clickatell writes true as 1. */
function toParameter(value: unknown): string {
  return typeof value === "boolean" ? String(Number(value)) : String(value);
}
