/** Counters as they stand in their table. */

import type { CounterKind } from "@carillon/core";
import { epochMs, integer, text, textOf } from "./codec.ts";
import { defineTable, type RowOf, type ValueOf } from "./table.ts";

const shape = {
  kind: textOf<CounterKind>(),
  key: text,
  count: integer,
  lastAt: epochMs,
  endsAt: epochMs,
};

export type CounterRow = RowOf<ValueOf<typeof shape>>;

export const counters = defineTable("counters", shape);
