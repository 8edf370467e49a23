/** Messages that are not to be sent yet. */

import type { MessageReport } from "@carillon/client";
import { durationText, instantText } from "./time-text.ts";

type Held = Pick<MessageReport, "notBefore" | "fannedOut">;

/** When it is sent at the earliest; `undefined` once that is over. */
export function heldUntil(
  { notBefore, fannedOut }: Held,
  now = Date.now(),
): string | undefined {
  if (notBefore === undefined || fannedOut) return undefined;
  return Date.parse(notBefore) > now ? notBefore : undefined;
}

/** Such as `Not sent before 2026-12-24 08:00:00 UTC, in 28 d.`, if it is held. */
export function heldText(report: Held, now = Date.now()): string | undefined {
  const until = heldUntil(report, now);
  if (until === undefined) return undefined;
  const wait = durationText(Date.parse(until) - now);
  return `Not sent before ${instantText(until)} UTC, in ${wait}.`;
}
