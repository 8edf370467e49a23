/** Delivery checks in SQLite. */

import type { Clock, DeliveryCheckStore } from "@carillon/core";
import type { Connections } from "../connections.ts";

export function createDeliveryCheckStore(
  { writer }: Connections,
  clock: Pick<Clock, "now">,
): DeliveryCheckStore {
  return {
    endIdle: (rule, limit) => writer.run("endIdle", rule, clock.now(), limit),
    bringPollsForward: (entry, limit) =>
      writer.run("bringPollsForward", entry, clock.now(), limit),
  };
}
