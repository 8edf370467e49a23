import assert from "node:assert/strict";
import { test } from "node:test";
import { describeClickatellHttpCode, toError, toStatus } from "./status.ts";

const now = 1_800_000_000_000;

const statuses: readonly (readonly [codes: readonly number[], name: string])[] =
  [
    [[1], "MessageStatus"],
    [[2, 3, 8, 11], "MessageAccepted"],
    [[4], "MessageDelivered"],
    [[5, 6, 7, 9, 12], "MessageError"],
    [[10], "MessageExpired"],
    [[14], "MessageError"],
    [[0, 13, 15, 999], "MessageStatus"],
  ];

for (const [codes, expected] of statuses) {
  test(`statuses ${codes} are ${expected}`, () => {
    for (const code of codes) {
      const status = toStatus("m1", code, {});
      assert.equal(status.constructor.name, expected);
      assert.deepEqual([status.msgid, status.statusCode], ["m1", code]);
    }
  });
}

type Row = readonly [
  codes: readonly number[],
  name: string,
  retryable: boolean,
];

const refusals: readonly Row[] = [
  [[1, 2, 4, 7], "AuthError", false],
  [
    [
      3, 5, 101, 102, 103, 104, 105, 106, 107, 108, 109, 113, 116, 120, 123,
      201, 202,
    ],
    "RequestError",
    false,
  ],
  [[114, 901], "ServerError", true],
  [[115, 121, 122, 128], "MessageSendError", false],
  [[130], "LimitsError", true],
  [[301, 302], "CreditError", false],
  [[0, 6, 110, 117, 999], "ProviderError", false],
];

for (const [codes, name, retryable] of refusals) {
  test(`errors ${codes} are ${name}`, () => {
    for (const code of codes) {
      const error = toError({ code, text: "No.", now });
      assert.equal(error.name, name);
      assert.equal(error.retryable, retryable);
      assert.equal(error.code, code);
      assert.match(error.message, /No\./);
      assert.equal(error.outcomeUnknown, false);
      assert.equal(error.retryAfterMs, undefined);
      const silent = toError({ code, text: "", now });
      assert.match(silent.message, /^Clickatell refused the text: \w+/);
    }
  });
}

test("a limit ends at the time in its text", () => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ["Maximum MT limit exceeded until 1800000060", 60_000],
    ["Maximum MT limit exceeded until 1799999999", 0],
    ["Maximum MT limit exceeded until 99999999999", 5000],
    ["Maximum MT limit for 4915112345 exceeded until 1800000060", 60_000],
    ["Maximum MT limit exceeded until 1800000060 for 4915112345", 60_000],
    ["Maximum MT limit exceeded for 4915112345", 5000],
    ["Maximum MT limit of 1799990000 exceeded until 1800000060", 60_000],
    ["Maximum MT limit exceeded until <UNIX TIME STAMP>", 5000],
    ["", 5000],
  ];
  for (const [text, expected] of cases) {
    const error = toError({ code: 130, text, now, retryAfterMs: 5000 });
    assert.equal(error.retryAfterMs, expected);
  }
  const other = toError({ code: 114, text: "until 1800000060", now });
  assert.equal(other.retryAfterMs, undefined);
});

test("says what codes mean, and that some mean two things", () => {
  const cases: readonly (readonly [string | number, RegExp])[] = [
    [901, /^Clickatell failed inside\.$/],
    ["014", /^The limit of texts is reached\.$/],
    [1, /^Of a refused text: .*refused\. Of an accepted one: .*not know/],
    ["007", /Of an accepted one/],
  ];
  for (const [code, expected] of cases) {
    assert.match(describeClickatellHttpCode(code) ?? "", expected);
  }
  for (const code of [0, 999, "x", "", -1, "1e1"]) {
    assert.equal(describeClickatellHttpCode(code), undefined);
  }
});
