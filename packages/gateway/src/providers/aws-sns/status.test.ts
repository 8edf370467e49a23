import assert from "node:assert/strict";
import { test } from "node:test";
import { describeCode, toError } from "./status.ts";

type Row = readonly [
  codes: readonly string[],
  name: string,
  retryable: boolean,
];

const refusals: readonly Row[] = [
  [
    [
      "AuthorizationError",
      "AccessDenied",
      "InvalidClientTokenId",
      "SignatureDoesNotMatch",
      "IncompleteSignature",
      "MissingAuthenticationToken",
      "ExpiredToken",
      "InvalidSecurity",
      "OptInRequired",
      "UserError",
    ],
    "AuthError",
    false,
  ],
  [
    [
      "InvalidParameter",
      "InvalidParameterValue",
      "ValidationError",
      "NotFound",
      "MalformedQueryString",
      "OptedOut",
    ],
    "RequestError",
    false,
  ],
  [
    ["EndpointDisabled", "PlatformApplicationDisabled", "InvalidAction"],
    "UnsupportedError",
    false,
  ],
  [
    [
      "Throttled",
      "Throttling",
      "ThrottlingException",
      "RequestLimitExceeded",
      "KMSThrottling",
    ],
    "LimitsError",
    true,
  ],
  [
    ["InternalError", "InternalFailure", "ServiceUnavailable"],
    "ServerError",
    true,
  ],
];

for (const [codes, name, retryable] of refusals) {
  test(`${codes.join(", ")}: ${name}`, () => {
    for (const code of codes) {
      // Whatever the status of HTTP says.
      const error = toError({ httpStatus: 418, code, message: "No." });
      assert.equal(error.name, name);
      assert.equal(error.retryable, retryable);
      assert.equal(error.code, code);
      assert.equal(error.outcomeUnknown, false);
      assert.match(error.message, /No\./);
      assert.ok(describeCode(code));
      const longer = `${code.replace(/Exception$/, "")}Exception`;
      const same = toError({ httpStatus: 418, code: longer });
      assert.equal(same.name, name);
      assert.equal(describeCode(longer), describeCode(code));
    }
  });
}

test("a quota that is used up is a matter of money, whatever the code", () => {
  const message = "No quota left for account";
  const error = toError({ httpStatus: 400, code: "Throttled", message });
  assert.equal(error.name, "CreditError");
  assert.equal(error.retryable, false);
});

test("an unknown code counts by its HTTP status", () => {
  const of = (httpStatus: number) => toError({ httpStatus, code: "New" });
  assert.deepEqual(
    [400, 403, 429, 500, 503].map((it) => of(it).name),
    ["RequestError", "AuthError", "LimitsError", "ServerError", "ServerError"],
  );
  assert.equal(describeCode("New"), undefined);
  assert.equal(describeCode(7), undefined);
  assert.equal(toError({ httpStatus: 429, retryAfterMs: 7 }).retryAfterMs, 7);
});

test("shows nothing of what a wrong signature is answered with", () => {
  const message =
    "The signature does not match.\n\nThe Canonical String should have been\n'POST\n/\n\nx-amz-security-token:hunter2'";
  const code = "SignatureDoesNotMatch";
  const error = toError({ httpStatus: 403, code, message });
  assert.match(error.message, /does not match\.$/);
  assert.doesNotMatch(error.message, /hunter2/);
});
