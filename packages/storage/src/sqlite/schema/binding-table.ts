/** What is bound to topics, as it stands in its table. */

import type { BindingData, BindingKind } from "@carillon/core";
import { code, integer, json, text } from "./codec.ts";
import { bindingCodes } from "./codes.ts";
import { defineTable } from "./table.ts";

/** A binding of any kind. */
export interface BindingRecord {
  readonly topicSeq: number;
  readonly kind: BindingKind;
  readonly id: string;
  readonly data: BindingData[BindingKind];
  readonly createdAt: number;
  readonly updatedAt: number;
}

export const bindings = defineTable("topic_bindings", {
  topicSeq: integer,
  kind: code(bindingCodes),
  id: text,
  data: json<BindingData[BindingKind]>(),
  createdAt: integer,
  updatedAt: integer,
});
