/** Numbers the engine counts as it works; read by metrics, never computed. */

import type { DeliveryState } from "../messages/delivery-state.ts";
import type { PollCount } from "./carrier-polls.ts";

/** What an engine does now, and what it did since its start. */
export interface EngineStatus {
  /** Attempts under way. */
  readonly inFlight: number;
  /** Ranges held by this engine. */
  readonly activeRanges: number;
  /** Messages accepted since start. */
  readonly accepted: number;
  /** Attempts made since start. */
  readonly attempts: number;
  /** Outcomes written since start, by state. */
  readonly outcomes: Readonly<Partial<Record<DeliveryState, number>>>;
  /** Ids that carriers were asked about since start. */
  readonly polls: readonly PollCount[];
}
