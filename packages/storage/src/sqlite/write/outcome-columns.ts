/**
 * Outcomes on their way to the writer thread, column by column: a list of
 * hundreds crosses several times faster than as objects, and a column in which
 * nothing is set takes no room at all.
 */

import type { EpochMs } from "@carillon/core";
import { partStateCodes } from "../schema/codes.ts";
import {
  attempts,
  type EndOf,
  type Outcome,
  outcomeColumns,
} from "../schema/delivery-table.ts";
import type { SQLInputValue } from "../schema/query.ts";

/** One value per outcome; `null`: none of them has one. */
export type Column<Value> = readonly (Value | null)[] | null;

export interface OutcomeColumns {
  readonly size: number;
  /** When they were handed over: the time of those that are refused. */
  readonly writtenAt: EpochMs;
  /** In the order of {@link outcomeColumns}. */
  readonly columns: readonly Column<SQLInputValue>[];
  /** Of the claims that the outcomes end. */
  readonly fence: Column<number>;
  /** Rows of the table of attempts, less their keys. */
  readonly previousAttempt: Column<readonly SQLInputValue[]>;
  /** Of each part its id and its state, one after another. */
  readonly parts: Column<readonly SQLInputValue[]>;
}

/** `endOf` is needed if there are leases. */
export function toOutcomeColumns(
  outcomes: readonly Outcome[],
  writtenAt: EpochMs,
  endOf?: EndOf,
): OutcomeColumns {
  const columns: Column<SQLInputValue>[] = [];
  for (const { pick } of outcomeColumns) {
    columns.push(toColumn(outcomes, pick, endOf));
  }
  return {
    size: outcomes.length,
    writtenAt,
    columns,
    fence: toColumn(outcomes, (it) => it.fence),
    previousAttempt: toColumn(
      outcomes,
      ({ previousAttempt }) =>
        previousAttempt && attempts.toRow(previousAttempt),
    ),
    parts: toColumn(outcomes, ({ parts, provider }) =>
      // Without a provider nobody can report on them.
      parts && provider !== undefined
        ? parts.flatMap(({ externalId, state = "sent" }) => [
            externalId,
            partStateCodes[state],
          ])
        : undefined,
    ),
  };
}

/**
 * Pushed one by one, as `columns`: what `map` or `new Array(n)` makes counts as a
 * list with holes, and takes longer to another thread.
 */
function toColumn<Value>(
  outcomes: readonly Outcome[],
  pick: (outcome: Outcome, endOf: EndOf | undefined) => Value | undefined,
  endOf?: EndOf,
): Column<Value> {
  let values: (Value | null)[] | null = null;
  let row = 0;
  for (const outcome of outcomes) {
    const value = pick(outcome, endOf) ?? null;
    if (values !== null) values.push(value);
    else if (value !== null) {
      values = [];
      for (let n = 0; n < row; n++) values.push(null);
      values.push(value);
    }
    row++;
  }
  return values;
}
