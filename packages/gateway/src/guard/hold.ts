/** Why a guard held a text: nothing was sent, and nothing will be by itself. */

import { RequestError } from "../errors.ts";

/** What can hold a text. */
export const holdReasons = [
  "premium_number",
  "satellite_number",
  "invalid_number",
  "country",
  "high_risk_country",
  "sequence",
  "number_limit",
  "otp_limit",
  "prefix_limit",
  "country_limit",
  "project_limit",
  "class_limit",
  "spend_limit",
] as const;

export type HoldReason = (typeof holdReasons)[number];

/** A text that is held. */
export interface Hold {
  readonly reason: HoldReason;
  /** Which limit, its figure, and what an operator can do. */
  readonly error: string;
}

/**
 * A guard held the text, so nothing was sent. A `RequestError`, for no other
 * provider and no later attempt gets by.
 */
export class HeldError extends RequestError {
  static {
    HeldError.prototype.name = "HeldError";
  }
  readonly reason: HoldReason;

  constructor({ reason, error }: Hold) {
    super(error, { code: "HELD" });
    this.reason = reason;
  }
}
