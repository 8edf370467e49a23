/** What is bound to topics, as it stands in its table. */

import type { BindingData, BindingKind, EpochMs } from "@carillon/core";
import { code, epochMs, integer, json, text } from "./codec.ts";
import { bindingCodes } from "./codes.ts";
import { defineTable } from "./table.ts";

/** A binding of any kind. */
export interface BindingRecord {
  readonly topicSeq: number;
  readonly kind: BindingKind;
  readonly id: string;
  readonly data: BindingData[BindingKind];
  readonly createdAt: EpochMs;
  readonly updatedAt: EpochMs;
}

export const bindings = defineTable("topic_bindings", {
  topicSeq: integer,
  kind: code(bindingCodes),
  id: text,
  data: json<BindingData[BindingKind]>(),
  createdAt: epochMs,
  updatedAt: epochMs,
});
