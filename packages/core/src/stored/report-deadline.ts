/**
 * Ends the wait for reports on mails: most servers never say that a mail arrived,
 * and those that give up do so within days.
 */

import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import { addMs } from "../time.ts";
import { type EndIdlePorts, endAllIdle } from "./end-idle.ts";

/** What {@link endReportWaits} works with. */
export interface ReportDeadlinePorts extends EndIdlePorts {
  readonly clock: Pick<Clock, "now" | "nextTurn">;
  readonly logger: Pick<Logger, "info">;
  /** Days after a mail was handed over, as they are set now. */
  readonly days: () => number;
}

const dayMinutes = 24 * 60;

/**
 * Makes those mails final that nobody has reported on in time: they stay `sent`.
 * Answers how many.
 *
 * @throws CarillonError STORAGE_UNAVAILABLE, STORAGE_FULL; what was done by then
 * stays so
 */
export async function endReportWaits(
  ports: ReportDeadlinePorts,
): Promise<number> {
  const { clock, logger } = ports;
  const days = ports.days();
  const timeoutMinutes = days * dayMinutes;
  const count = await endAllIdle(ports, {
    billable: false,
    idleSince: addMs(clock.now(), -timeoutMinutes * 60_000),
    timeoutMinutes,
    becomes: "final",
  });
  if (count > 0) logger.info("mail_reports_over", { count, days });
  return count;
}
