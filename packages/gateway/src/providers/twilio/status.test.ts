import assert from "node:assert/strict";
import { test } from "node:test";
import { toError, toStatus } from "./status.ts";

const words: Readonly<Record<string, string | undefined>> = {
  accepted: "MessageAccepted",
  queued: "MessageAccepted",
  scheduled: "MessageAccepted",
  sending: "MessageAccepted",
  sent: "MessageAccepted",
  delivered: "MessageDelivered",
  read: "MessageDelivered",
  partially_delivered: "MessageError",
  undelivered: "MessageError",
  failed: "MessageError",
  canceled: "MessageError",
  received: undefined,
  receiving: undefined,
  "a new word": "MessageStatus",
};

for (const [word, expected] of Object.entries(words)) {
  test(`"${word}" is ${expected ?? "nothing that concerns sending"}`, () => {
    const status = toStatus("SM1", word, {});
    assert.equal(status?.constructor.name, expected);
    if (status) assert.deepEqual([status.status, status.msgid], [word, "SM1"]);
  });
}

test("a validity that ran out is its own kind, and the code is kept", () => {
  const expired = toStatus("SM1", "undelivered", { errorCode: 30036 });
  assert.equal(expired?.kind, "expired");
  assert.equal(expired.statusCode, 30036);
});

type Row = readonly [
  codes: readonly number[],
  name: string,
  retryable: boolean,
];

const refusals: readonly Row[] = [
  [[20003, 20005, 20006, 20008, 10001, 90010, 30002], "AuthError", false],
  [[20429, 14107, 21611, 30001, 30022, 30023, 30027], "LimitsError", true],
  [[30010], "LimitsError", false],
  [[21211, 21604, 21617, 21705, 30012], "RequestError", false],
  [[21610, 30004, 30005, 30006, 30007, 30024], "RequestError", false],
  [[21408, 21612, 21601, 30011, 30034, 30037], "UnsupportedError", false],
  [[30410], "ServerError", true],
];

for (const [codes, name, retryable] of refusals) {
  test(`${codes} are ${name}`, () => {
    for (const code of codes) {
      const error = toError({ httpStatus: 400, code, message: "No." });
      assert.equal(error.name, name);
      assert.equal(error.retryable, retryable);
      assert.equal(error.code, code);
      assert.match(error.message, /No\./);
      assert.equal(error.outcomeUnknown, false);
    }
  });
}

test("an account that was suspended for want of money is told as that", () => {
  const message = "Account suspended: the balance is negative";
  const error = toError({ httpStatus: 403, code: 30002, message });
  assert.equal(error.name, "CreditError");
});

test("an unknown code counts by its HTTP status", () => {
  const of = (httpStatus: number) => toError({ httpStatus, code: 99999 });
  assert.deepEqual(
    [400, 401, 429, 500, 503].map((it) => of(it).name),
    ["RequestError", "AuthError", "LimitsError", "ServerError", "ServerError"],
  );
  const limited = toError({ httpStatus: 429, retryAfterMs: 3000 });
  assert.equal(limited.retryAfterMs, 3000);
});
