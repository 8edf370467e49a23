import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { errorCatalogue } from "@carillon/core";
import { requestErrorCatalogue } from "../../errors.ts";
import { smnErrorCodes, smnInternalError } from "./error-codes.ts";

const statuses: Record<string, number> = JSON.parse(
  readFileSync(
    new URL("../../../test-data/smn-error-statuses.json", import.meta.url),
    "utf8",
  ),
);

test("each of our codes has a status and a code of SMN", () => {
  const ours = [
    ...Object.keys(errorCatalogue),
    ...Object.keys(requestErrorCatalogue),
  ];
  assert.deepEqual(Object.keys(smnErrorCodes).sort(), ours.sort());
});

test("SMN's codes have the statuses SMN gives them", () => {
  for (const [ours, { status, code }] of Object.entries({
    ...smnErrorCodes,
    INTERNAL: smnInternalError,
  })) {
    // Codes of the gateway, and what no code is documented for.
    if (code === "APIGW.0201" || status === 503) continue;
    // Says that waiting helps, which SMN's 500 does not.
    if (ours === "STORAGE_FULL") continue;
    assert.equal(status, statuses[code], `${ours}: ${code}`);
  }
});
