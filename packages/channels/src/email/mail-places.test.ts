import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@carillon/testing";
import { MailPlaces } from "./mail-places.ts";

const { signal } = new AbortController();

test("who comes when all places are taken waits for the first that is free", async () => {
  const places = new MailPlaces(2, new ManualClock());
  const first = await places.take(signal);
  await places.take(signal);
  let isIn = false;
  const third = places.take(signal).then(() => {
    isIn = true;
  });
  await Promise.resolve();
  assert.equal(isIn, false);
  first[Symbol.dispose]();
  await third;
  assert.equal(isIn, true);
});

test("how many are served follows what mails need, also those under way", async () => {
  const clock = new ManualClock();
  const places = new MailPlaces(2, clock);
  assert.equal(places.servedIn(2000), 8);
  for (let n = 0; n < 40; n++) {
    using _ = await places.take(signal);
    await clock.advance(10);
  }
  const quick = places.servedIn(2000);
  assert.ok(quick > 350 && quick <= 400, `${quick} are served`);
  // One that hangs takes its own place only; two take all.
  await places.take(signal);
  await clock.advance(60_000);
  const half = places.servedIn(2000);
  assert.ok(half >= quick / 2 - 1 && half <= quick / 2 + 1, `${half}`);
  await places.take(signal);
  await clock.advance(60_000);
  assert.equal(places.servedIn(2000), 0);
});
