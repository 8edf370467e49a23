import assert from "node:assert/strict";
import { test } from "node:test";
import { CarillonError } from "@carillon/core";
import { RecordingLogger } from "@carillon/testing";
import { loadSigningKeys } from "./load-signing-keys.ts";

test("logs why keys were not loaded, unless a start that fails cut it off", async () => {
  const logger = new RecordingLogger();
  const load = (error: Error) =>
    loadSigningKeys({ load: () => Promise.reject(error) }, logger);
  await load(new CarillonError("SHUTTING_DOWN", "The store is closed."));
  assert.deepEqual(logger.lines, []);
  await load(new CarillonError("STORAGE_UNUSABLE"));
  assert.deepEqual(
    logger.lines.map(({ event }) => event),
    ["signing_keys_failed"],
  );
});
