/**
 * Core's table of transitions as numbers. The writer thread is handed them, so
 * that it need not load core to start.
 */

import {
  type DeliveryState,
  deliveryStates,
  isSettled,
  mergeStates,
  type Receipt,
  stateAfterReceipt,
} from "@carillon/core";
import { receiptEventCodes, stateCodes } from "../schema/codes.ts";

export interface StateRules {
  /** By state: whether the engine has nothing left to do. */
  readonly settled: readonly boolean[];
  /** By state on disk, then by reported state: the state that is kept. */
  readonly afterOutcome: readonly (readonly number[])[];
  /** By receipt event, then by state on disk: the state that is kept. */
  readonly afterReceipt: readonly (readonly number[])[];
}

export function createStateRules(): StateRules {
  return {
    settled: byState(isSettled),
    afterOutcome: byState((known) =>
      byState((reported) => stateCodes[mergeStates(known, reported)]),
    ),
    afterReceipt: byCode(receiptEventCodes, (event: Receipt["event"]) =>
      byState((state) => stateCodes[stateAfterReceipt(state, event)]),
    ),
  };
}

function byState<Value>(of: (state: DeliveryState) => Value): Value[] {
  return byCode(stateCodes, of, deliveryStates);
}

function byCode<Name extends string, Value>(
  codes: Readonly<Record<Name, number>>,
  of: (name: Name) => Value,
  // Object.keys has no type for the names.
  names: readonly Name[] = Object.keys(codes) as Name[],
): Value[] {
  const values: Value[] = [];
  for (const name of names) values[codes[name]] = of(name);
  return values;
}
