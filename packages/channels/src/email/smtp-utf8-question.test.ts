import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@carillon/testing";
import { SmtpUtf8Question } from "./smtp-utf8-question.ts";

const waiting = new AbortController().signal;

function setUp() {
  const clock = new ManualClock();
  const asked: PromiseWithResolvers<boolean>[] = [];
  const question = new SmtpUtf8Question(
    (signal) => {
      const answer = Promise.withResolvers<boolean>();
      signal.addEventListener("abort", () => answer.reject(signal.reason));
      asked.push(answer);
      return answer.promise;
    },
    30_000,
    clock,
  );
  return { clock, asked, question };
}

for (const answer of [true, false]) {
  test(`two hundred who ask at once have one answer: ${answer}`, async () => {
    const { clock, asked, question } = setUp();
    const all = Array.from({ length: 200 }, () => question.answer(waiting));
    asked[0]?.resolve(answer);
    assert.deepEqual(await Promise.all(all), Array(200).fill(answer));
    clock.advance(299_000);
    assert.equal(await question.answer(waiting), answer);
    assert.equal(asked.length, 1);
    clock.advance(2000);
    const later = question.answer(waiting);
    // A server does not forget what it can.
    assert.equal(asked.length, answer ? 1 : 2);
    asked[1]?.resolve(true);
    assert.equal(await later, true);
  });
}

test("a failure is that of all who wait, and the next one asks again", async () => {
  const { asked, question } = setUp();
  const both = [question.answer(waiting), question.answer(waiting)];
  asked[0]?.reject(new Error("away"));
  for (const one of both) await assert.rejects(one, /away/);
  const next = question.answer(waiting);
  assert.equal(asked.length, 2);
  asked[1]?.resolve(true);
  assert.equal(await next, true);
});

test("who leaves leaves the question to the others", async () => {
  const { asked, question } = setUp();
  const leaving = new AbortController();
  const gone = question.answer(leaving.signal);
  const other = question.answer(waiting);
  leaving.abort(new Error("left"));
  await assert.rejects(gone, /left/);
  asked[0]?.resolve(true);
  assert.equal(await other, true);
});

test("a question ends in time, and with its owner", async () => {
  const { clock, question } = setUp();
  const silent = question.answer(waiting);
  clock.advance(30_000);
  await assert.rejects(silent, { code: "ETIMEDOUT" });
  const closed = question.answer(waiting);
  question.close();
  await assert.rejects(closed, { name: "AbortError" });
  await assert.rejects(question.answer(waiting), { name: "AbortError" });
});
