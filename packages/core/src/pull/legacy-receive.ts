/**
 * What a GET of the Notipy protocol means. Its Python client polls and confirms
 * by the same request, which names no message: a GET that soon follows another
 * one, with messages leased, says that the oldest of these was handled.
 *
 * A confirmation is answered with nothing, and nothing is leased for it, so that
 * no message is lost that came in between. Where the rule errs it takes a
 * confirmation for a poll, which repeats messages; only two polls in a row that
 * are closer than the window lose one.
 */

import type { EpochMs } from "../time.ts";

/** What a store knows of a mailbox when a GET comes. */
export interface LegacyReceiveFacts {
  /** Whether messages of the mailbox are leased, those aside whose lease ended. */
  readonly hasLeased: boolean;
  /** When the last GET came after which messages were leased. */
  readonly lastGetAt: EpochMs | undefined;
  readonly now: EpochMs;
  readonly confirmWindowMs: number;
  /** Whether the rule applies to this client at all. */
  readonly mayConfirm: boolean;
  /** Its subscriber confirms by id. */
  readonly confirmsById: boolean;
}

/** `confirm`: the oldest leased message was handled; `poll`: lease some. */
export type LegacyMeaning = "confirm" | "poll";

/** Decides by what a store knows at this instant; it has no other effect. */
export function decideLegacyReceive({
  hasLeased,
  lastGetAt,
  now,
  confirmWindowMs,
  mayConfirm,
  confirmsById,
}: LegacyReceiveFacts): LegacyMeaning {
  if (!mayConfirm || confirmsById || !hasLeased) return "poll";
  if (lastGetAt === undefined) return "poll";
  const sinceMs = now - lastGetAt;
  // Behind a clock that was set back nobody knows how long ago it was.
  return sinceMs >= 0 && sinceMs < confirmWindowMs ? "confirm" : "poll";
}
