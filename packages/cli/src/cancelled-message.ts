/** Messages that were cancelled as a whole. */

import type { MessageReport } from "@carillon/client";
import { instantText } from "./time-text.ts";

type Cancelled = Pick<MessageReport, "cancelled">;

/** Such as `Cancelled by ada, 2026-12-24 08:00:00 UTC: the wrong text`. */
export function cancelledText({ cancelled }: Cancelled): string | undefined {
  if (cancelled === undefined) return undefined;
  const { userName, at, reason } = cancelled;
  const why = reason === undefined ? "" : `: ${reason}`;
  return `Cancelled by ${userName}, ${instantText(at)} UTC${why}`;
}
