/** The protocol sms: texts to phones. */

import {
  isCodeEnabled,
  maskPhoneNumber,
  type ProtocolDefinition,
  refuseExtension,
} from "@carillon/core";
import { problemWithText } from "@carillon/gateway";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** The definition of `sms`. */
export const smsProtocol: ProtocolDefinition = {
  name: "sms",
  isSmn: true,
  endpointForm: "a phone number in international form such as +4915112345678",
  problemWithEndpoint: problemWithPhoneNumber,
  maskEndpoint: maskPhoneNumber,
  checkExtension: (extension) =>
    isCodeEnabled(extension)
      ? { verificationCodeEnabled: true }
      : refuseExtension(extension),
  problemWithText,
  // A text of this morning is of no use tonight.
  defaultLifeSeconds: 4 * 3600,
  // A code is of no use after minutes.
  otpLifeSeconds: 600,
  // SMN's figures.
  confirmation: [
    { max: 10, windowMs: hourMs, pauseMs: hourMs },
    { max: 20, windowMs: 2 * dayMs, pauseMs: 7 * dayMs },
  ],
};

/** E.164 with its plus, spaces and dashes not allowed (SMN's form). */
function problemWithPhoneNumber(text: string): string | undefined {
  if (/^\+[1-9]\d{5,14}$/.test(text)) return undefined;
  if (!text.startsWith("+")) return "it does not start with +";
  return /^\+\d*$/.test(text)
    ? "a country code, which does not begin with 0, and 6 to 15 digits in all are expected"
    : "only digits may follow its +, no blanks or dashes";
}
