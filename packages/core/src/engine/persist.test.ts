import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@carillon/testing";
import { CarillonError } from "../errors.ts";
import { silentLogger } from "../ports/logger.ts";
import { persist } from "./persist.ts";

function setUp() {
  const clock = new ManualClock();
  const abandonment = new AbortController();
  const ports = {
    clock,
    logger: silentLogger,
    random: () => 0.5,
    abandoned: abandonment.signal,
  };
  return { clock, abandonment, ports };
}

for (const code of ["STORAGE_FULL", "STORAGE_UNAVAILABLE"] as const) {
  test(`writes again after ${code} until it succeeds`, async () => {
    const { clock, ports } = setUp();
    let failures = 20;
    const written = persist(ports, "test", async () => {
      if (failures-- > 0) throw new CarillonError(code);
      return "done";
    });
    await clock.advanceSettled(120_000);
    assert.equal(await written, "done");
  });
}

for (const error of [
  new CarillonError("STORAGE_REFUSED"),
  new TypeError("no such type"),
]) {
  test(`gives up at once what fails each time: ${error.message}`, async () => {
    let calls = 0;
    const write = async () => {
      calls++;
      throw error;
    };
    await assert.rejects(persist(setUp().ports, "test", write), error);
    assert.equal(calls, 1);
  });
}

test("stops waiting when the engine is abandoned", async () => {
  const { abandonment, ports } = setUp();
  const written = persist(ports, "test", async () => {
    throw new CarillonError("STORAGE_FULL");
  });
  await new Promise<void>((resolve) => setImmediate(resolve));
  abandonment.abort();
  assert.equal(await written, undefined);
});
