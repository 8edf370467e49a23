/** What the client has copies of, because it depends on nothing. */

import assert from "node:assert/strict";
import { test } from "node:test";
import * as client from "@carillon/client";
import { deliveryStates, pymessStateNames } from "@carillon/core";

test("the client knows all states by both names", () => {
  assert.deepEqual(
    [...client.deliveryStates].sort(),
    [...deliveryStates].sort(),
  );
  assert.deepEqual([...client.pymessStates], pymessStateNames);
});
