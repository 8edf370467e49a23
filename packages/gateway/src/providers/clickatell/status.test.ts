import assert from "node:assert/strict";
import { test } from "node:test";
import { describeClickatellCode, toError, toStatus } from "./status.ts";

type StatusRow = readonly [code: number, word: string, name: string];

const statuses: readonly StatusRow[] = [
  [1, "UNKNOWN", "MessageStatus"],
  [2, "QUEUED", "MessageAccepted"],
  [3, "SCHEDULED", "MessageAccepted"],
  [24, "EMULATED", "MessageAccepted"],
  [4, "SENT_TO_SUPPLIER", "MessageAccepted"],
  [5, "DEVICE_ACK", "MessageDelivered"],
  [6, "READ", "MessageDelivered"],
  [20, "EXPIRED", "MessageExpired"],
  [21, "STOPPED_BY_USER", "MessageError"],
  [22, "STOPPED_BY_ADMIN", "MessageError"],
  [23, "DELIVERY_FAILURE", "MessageError"],
  [29, "RECIPIENT_DOES_NOT_EXIST", "MessageError"],
  [100, "ROUTING_ERROR", "MessageError"],
  [25, "INSUFFICIENT_ACCOUNT_BALANCE", "MessageError"],
  [26, "VOLUME_LIMIT", "MessageError"],
  [27, "VOLUME_LIMIT_DAILY", "MessageError"],
  [28, "VOLUME_LIMIT_MONTHLY", "MessageError"],
  [60, "ENCRYPTION_ACCESS_DENIED", "MessageError"],
  [61, "ENCRYPTION_CONTENT_ERROR", "MessageError"],
  [80, "MEDIA_NOT_FOUND", "MessageError"],
  [85, "MEDIA_ACCESS_ERROR", "MessageError"],
  [130, "WHATSAPP_ACCOUNT_PAYMENT_ISSUE", "MessageError"],
  [199, "WHATSAPP_SERVER_RATE_LIMIT", "MessageError"],
  [50, "A_NEW_WORD", "MessageStatus"],
];

for (const [code, word, expected] of statuses) {
  test(`${code} and "${word}" are ${expected}`, () => {
    const both = toStatus("m1", { code, word });
    assert.equal(both.constructor.name, expected);
    assert.deepEqual([both.msgid, both.statusCode], ["m1", code]);
    assert.equal(both.status, word);
    const byCode = toStatus("m1", { code });
    assert.equal(byCode.constructor.name, expected);
    const byWord = toStatus("m1", { word });
    assert.equal(byWord.constructor.name, expected);
    assert.equal(byWord.statusCode, word);
  });
}

type ErrorRow = readonly [
  codes: readonly number[],
  name: string,
  retryable: boolean,
];

const refusals: readonly ErrorRow[] = [
  [[1, 2, 3, 7, 44], "AuthError", false],
  [[18, 19], "ServerError", true],
  [[20], "CreditError", false],
  [[21, 22, 23, 24, 25, 40, 41, 42, 45, 100], "RequestError", false],
  [[26, 27, 28], "RequestError", false],
  [[30, 31, 32, 38, 39, 101, 110, 111], "UnsupportedError", false],
  [[43], "LimitsError", true],
];

for (const [codes, name, retryable] of refusals) {
  test(`${codes} are ${name}`, () => {
    for (const code of codes) {
      // Whatever the answer's own status says, and in an answer of success.
      for (const httpStatus of [207, 400, 500]) {
        const error = toError({ httpStatus, code, message: "No." });
        assert.equal(error.name, name);
        assert.equal(error.retryable, retryable);
        assert.equal(error.code, code);
        assert.match(error.message, /No\./);
        assert.equal(error.outcomeUnknown, false);
      }
      const described = describeClickatellCode(code) ?? "";
      assert.match(toError({ httpStatus: 400, code }).message, /\.$/);
      assert.notEqual(described, "");
    }
  });
}

test("an unknown code counts by its HTTP status", () => {
  const of = (httpStatus: number) => toError({ httpStatus, code: 99_999 });
  assert.deepEqual(
    [207, 400, 401, 402, 404, 429, 503].map((it) => of(it).name),
    [
      "RequestError",
      "RequestError",
      "AuthError",
      "CreditError",
      "RequestError",
      "LimitsError",
      "ServerError",
    ],
  );
  assert.equal(of(503).code, 99_999);
});

test("says what codes mean, and that some mean two things", () => {
  const cases: readonly (readonly [string | number, RegExp])[] = [
    [43, /^Too many requests\.$/],
    [5, /^The text is on the phone\.$/],
    ["DEVICE_ACK", /^The text is on the phone\.$/],
    [20, /^Of a refused text: .*money\. Of an accepted one: .*in time\.$/],
    ["20", /Of an accepted one/],
    [84, /media/],
    ["WHATSAPP_EXPERIMENTAL_NUMBER", /another channel/],
  ];
  for (const [code, expected] of cases) {
    assert.match(describeClickatellCode(code) ?? "", expected);
  }
  for (const code of [50, 99, "A_NEW_WORD", "", -1]) {
    assert.equal(describeClickatellCode(code), undefined);
  }
});
