import assert from "node:assert/strict";
import { test } from "node:test";
import {
  audienceKinds,
  contentKinds,
  deliveryActions,
  deliveryStates,
  errorClasses,
  jobStates,
  messageClasses,
  receiptEvents,
} from "@carillon/core";
import * as codes from "./codes.ts";

for (const [name, table] of Object.entries(codes)) {
  if (typeof table === "function") continue;
  test(`${name} gives each name a number of its own`, () => {
    const numbers = Object.values(table);
    assert.equal(new Set(numbers).size, numbers.length);
    const nameOf = codes.namesOf<string>(table);
    for (const [member, code] of Object.entries(table)) {
      assert.equal(nameOf(code), member);
    }
    assert.throws(() => nameOf(99), /no code 99/);
  });
}

for (const [title, names, table] of [
  ["state", deliveryStates, codes.stateCodes],
  ["audience", audienceKinds, codes.audienceCodes],
  ["kind of content", contentKinds, codes.contentCodes],
  ["class of messages", messageClasses, codes.messageClassCodes],
  ["class of errors", errorClasses, codes.errorClassCodes],
  ["action", deliveryActions, codes.actionCodes],
  ["state of a job", jobStates, codes.jobStateCodes],
  ["event of a receipt", receiptEvents, codes.receiptEventCodes],
] as const) {
  test(`has a number for every ${title}, and no other`, () => {
    assert.deepEqual(Object.keys(table).sort(), [...names].sort());
  });
}
