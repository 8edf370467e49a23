/** Delivery checks of the in-memory store. */

import {
  type DeliveryCheckStore,
  failedByTimeout,
  nextState,
} from "@carillon/core";
import type { Holds } from "./holds.ts";
import { unfinished } from "./outcomes.ts";
import { deliveryKey } from "./rows.ts";
import type { Tables } from "./tables.ts";

export function createDeliveryCheckStore(
  tables: Tables,
  holds: Holds,
): DeliveryCheckStore {
  const { deliveries, write } = tables;
  return {
    endIdle: ({ billable, idleSince, timeoutMinutes, becomes }, limit) =>
      write(() => {
        const found = deliveries
          .list()
          .filter(
            ({ billable: isBillable, idleFrom = Number.POSITIVE_INFINITY }) =>
              (isBillable ?? false) === billable && idleFrom <= idleSince,
          )
          .sort((a, b) => (a.idleFrom ?? 0) - (b.idleFrom ?? 0))
          .slice(0, limit);
        let idle = 0;
        for (const row of found) {
          const { idleFrom: _, ...kept } = row;
          const isSent = row.state === "sent";
          if (isSent) idle++;
          if (!isSent || becomes === "unchanged") {
            deliveries.put(deliveryKey(row), kept);
            continue;
          }
          const { nextAttemptAt: _planned, ...rest } = unfinished(kept);
          if (becomes === "final") {
            deliveries.put(deliveryKey(row), rest);
            continue;
          }
          const failure = failedByTimeout(timeoutMinutes);
          deliveries.put(deliveryKey(row), {
            ...rest,
            state: nextState("sent", "fail"),
            ...(row.lastAttempt && {
              lastAttempt: { ...row.lastAttempt, ...failure },
            }),
          });
        }
        return { idle, mayHaveMore: found.length === limit };
      }),
    bringPollsForward: (entry, limit) =>
      write(() => {
        const pollAt = holds.now();
        const later = deliveries
          .list()
          .filter((row) => row.provider === entry && (row.pollAt ?? 0) > pollAt)
          .sort((a, b) => (a.pollAt ?? 0) - (b.pollAt ?? 0))
          .slice(0, limit);
        for (const row of later) {
          deliveries.put(deliveryKey(row), { ...row, pollAt });
        }
        return later.length;
      }),
  };
}
