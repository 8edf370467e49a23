/** Deliveries of the in-memory store that their subscribers fetch. */

import {
  cancelReasons,
  decideClaim,
  type LaneClaim,
  type LaneStore,
  nextState,
  unfetchedError,
} from "@carillon/core";
import { cancel, endIfCancelled } from "./cancellation.ts";
import { claim, claimFactsOf, findRecipient } from "./deliveries.ts";
import { freed, type Holds } from "./holds.ts";
import { type DeliveryRow, deliveryKey } from "./rows.ts";
import { countSettled } from "./statistics.ts";
import type { Tables } from "./tables.ts";

export function createLaneStore(tables: Tables, holds: Holds): LaneStore {
  const { deliveries, write } = tables;

  function findHeld({ fence, ...key }: LaneClaim): DeliveryRow | undefined {
    const row = deliveries.get(deliveryKey(key));
    return row?.pull && row.hold && row.fence === fence ? row : undefined;
  }

  return {
    claimLane: (lease, lane, now, limit) =>
      write(() => {
        const claimed = [];
        const waiting = deliveries
          .list()
          .filter(({ pull, hold }) => pull?.lane === lane && !hold)
          .filter(({ pull }) => pull && pull.expiresAt > now)
          .sort((a, b) => a.messageSeq - b.messageSeq)
          .slice(0, limit);
        for (const row of waiting) {
          const recipient = findRecipient(tables, row);
          const decision = decideClaim(claimFactsOf(tables, row));
          if (recipient && decision === "send") {
            claimed.push(claim(tables, row, recipient, holds.grant(lease)));
          } else {
            const why = decision === "send" ? "unsubscribed" : decision;
            cancel(tables, row, cancelReasons[why], now);
          }
        }
        return claimed;
      }),
    ackLane: (claims, now) =>
      write(() =>
        claims.map((held) => {
          const row = findHeld(held);
          if (!row) return false;
          const { hold: _, pull: _settled, ...rest } = row;
          const acked = deliveries.put(deliveryKey(row), {
            ...rest,
            state: nextState(row.state, "deliver"),
            attempts: row.attempts + 1,
            lastAttempt: { at: now, durationMs: 0 },
          });
          countSettled(tables, acked, now);
          return true;
        }),
      ),
    releaseLane: (claims) =>
      write(() =>
        claims.map((held) => {
          const row = findHeld(held);
          if (!row) return false;
          const state = nextState(row.state, "release");
          const free = deliveries.put(deliveryKey(row), {
            ...freed(row),
            state,
          });
          endIfCancelled(tables, free, holds.now());
          return true;
        }),
      ),
    expireLanes: (now, limit) =>
      write(() => {
        const overdue = deliveries
          .list()
          .filter(({ pull, hold }) => pull && !hold && pull.expiresAt <= now)
          .slice(0, limit);
        for (const row of overdue) {
          if (endIfCancelled(tables, row, now)) continue;
          const { pull: _, ...rest } = row;
          const expired = deliveries.put(deliveryKey(row), {
            ...rest,
            fence: row.fence + 1,
            state: nextState(row.state, "expire"),
            lastAttempt: {
              at: now,
              durationMs: 0,
              errorClass: "expired",
              error: unfetchedError,
            },
          });
          countSettled(tables, expired, now);
        }
        return overdue.length;
      }),
  };
}
