/**
 * What a GET of the Notipy protocol means. Its Python client polls and confirms
 * by the same request, which names no message: a GET that soon follows another
 * one, with messages leased, says that the oldest of these was handled.
 *
 * A confirmation is answered with nothing, and nothing is leased for it, so that
 * no message is lost that came in between. The rule errs in two ways. It takes a
 * confirmation that comes after the window for a poll, which repeats messages. And
 * it takes for a confirmation whatever GET follows within the window one that
 * leased, or that found leases: then the oldest leased message is confirmed though
 * nobody may have seen it. So it goes
 *
 * - with two polls in a row that are closer than the window;
 * - with a poll whose answer was lost, and the poll that is made again at once;
 * - with a confirmation that came after the window: as a poll it leased messages,
 *   of which its client discards the answer, and the next confirmation is of them.
 *
 * Whoever cannot bear that confirms by PUT, has `legacyConfirm` be `off`, or pulls
 * with leases.
 */

import type { EpochMs } from "../time.ts";
import type { LegacyConfirm } from "./mailbox.ts";

/** What a store knows of a mailbox when a GET comes. */
export interface LegacyReceiveFacts {
  /** Whether messages of the mailbox are leased, those aside whose lease ended. */
  readonly hasLeased: boolean;
  /** When the last GET came after which messages were leased. */
  readonly lastGetAt: EpochMs | undefined;
  readonly now: EpochMs;
  readonly confirmWindowMs: number;
  /** `auto`: the rule applies until the subscriber confirms by id. */
  readonly legacyConfirm: LegacyConfirm;
  /** Its subscriber confirms by id, or did once. */
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
  legacyConfirm,
  confirmsById,
}: LegacyReceiveFacts): LegacyMeaning {
  if (legacyConfirm === "off" || !hasLeased) return "poll";
  if (legacyConfirm === "auto" && confirmsById) return "poll";
  if (lastGetAt === undefined) return "poll";
  const sinceMs = now - lastGetAt;
  // Behind a clock that was set back nobody knows how long ago it was.
  return sinceMs >= 0 && sinceMs < confirmWindowMs ? "confirm" : "poll";
}
