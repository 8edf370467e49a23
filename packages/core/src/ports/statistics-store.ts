import type { DeliveryState } from "../messages/delivery-state.ts";
import type { Protocol } from "../subscriptions/protocol.ts";
import type { EpochMs } from "../time.ts";

/** What is counted of topics, hour by hour, as outcomes are written. */
export interface StatisticsReader {
  /**
   * How many deliveries of a topic's messages came to rest, with nothing left
   * to do for the engine, in each hour of `from <= hour < until`:
   * by protocol, and by the state they came to rest in first. The hour is that
   * of their last attempt. Confirmations and what was cancelled are not counted.
   * In order of hour; hours and states with none are left out.
   */
  readStatistics(
    topicSeq: number,
    from: EpochMs,
    until: EpochMs,
  ): Promise<readonly HourlyCount[]>;
}

/**
 * How many deliveries of one protocol came to rest in one state within an hour.
 */
export interface HourlyCount {
  /** When the hour begins. */
  readonly hour: EpochMs;
  readonly protocol: Protocol;
  readonly state: DeliveryState;
  readonly count: number;
}

/** The length of an hour, in milliseconds. */
export const hourMs = 3_600_000;
