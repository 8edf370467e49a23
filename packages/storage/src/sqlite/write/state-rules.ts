/**
 * Core's table of transitions as numbers. The writer thread is handed them, so
 * that it need not load core to start.
 */

import {
  type DeliveryState,
  deliveryStates,
  isFinal,
  isSettled,
  mergeStates,
} from "@carillon/core";
import { stateCodes } from "../schema/codes.ts";

export interface StateRules {
  /** By state: whether the engine has nothing left to do. */
  readonly settled: readonly boolean[];
  /** By state: whether nothing leads out of it. */
  readonly final: readonly boolean[];
  /** By state on disk, then by reported state: the state that is kept. */
  readonly afterOutcome: readonly (readonly number[])[];
}

export function createStateRules(): StateRules {
  return {
    settled: byState(isSettled),
    final: byState(isFinal),
    afterOutcome: byState((known) =>
      byState((reported) => stateCodes[mergeStates(known, reported)]),
    ),
  };
}

function byState<Value>(of: (state: DeliveryState) => Value): Value[] {
  const values: Value[] = [];
  for (const state of deliveryStates) values[stateCodes[state]] = of(state);
  return values;
}
