/** Who does not want texts, in the in-memory store. */

import type { OptOutKey, OptOutRecordStore } from "@carillon/core";
import type { Tables } from "./tables.ts";

export function createOptOutStore({
  optOuts,
  write,
}: Tables): OptOutRecordStore {
  const sorted = () => optOuts.list().sort(compare);
  return {
    findOptOuts: async (recipient) =>
      sorted().filter((it) => it.recipient === recipient),
    putOptOut: (optOut) =>
      write(() => {
        optOuts.put(keyOf(optOut), optOut);
      }),
    removeOptOut: (recipient, sender = "") =>
      write(() => optOuts.delete(keyOf({ recipient, sender }))),
    listOptOuts: async ({ limit, after }) =>
      sorted()
        .filter((it) => after === undefined || compare(it, after) > 0)
        .slice(0, limit),
  };
}

function keyOf({ recipient, sender = "" }: OptOutKey): string {
  return `${recipient}/${sender}`;
}

function compare(a: OptOutKey, b: OptOutKey): number {
  if (a.recipient !== b.recipient) return a.recipient < b.recipient ? -1 : 1;
  const [x, y] = [a.sender ?? "", b.sender ?? ""];
  return x === y ? 0 : x < y ? -1 : 1;
}
