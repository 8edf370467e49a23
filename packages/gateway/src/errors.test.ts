import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AuthError,
  ConfigurationError,
  CreditError,
  LimitsError,
  MessageSendError,
  ProviderConnectionError,
  ProviderError,
  RemoteError,
  RequestError,
  ServerError,
  UnknownProviderError,
  UnsupportedError,
} from "./errors.ts";

const TREE = [
  [ProviderError, Error, false],
  [ProviderConnectionError, ProviderError, true],
  [MessageSendError, ProviderError, false],
  [RequestError, MessageSendError, false],
  [UnsupportedError, MessageSendError, false],
  [ServerError, MessageSendError, true],
  [AuthError, MessageSendError, false],
  [LimitsError, MessageSendError, true],
  [CreditError, MessageSendError, false],
] as const;

for (const [Class, Parent, retryable] of TREE) {
  test(`${Class.name} is a ${Parent.name}, retryable: ${retryable}`, () => {
    const error = new Class("why");
    assert.ok(error instanceof Parent);
    assert.equal(error.name, Class.name);
    assert.equal(error.retryable, retryable);
    assert.match(error.stack ?? "", new RegExp(`^${Class.name}: why`));
  });
}

test("a connection error is not the carrier's answer", () => {
  assert.ok(!(new ProviderConnectionError() instanceof MessageSendError));
});

test("details are fields", () => {
  const cause = new Error("inner");
  const error = new LimitsError("slow down", {
    provider: "one",
    code: 429,
    retryAfterMs: 1000,
    retryable: false,
    outcomeUnknown: true,
    cause,
  });
  assert.equal(error.provider, "one");
  assert.equal(error.code, 429);
  assert.equal(error.retryAfterMs, 1000);
  assert.equal(error.retryable, false);
  assert.equal(error.outcomeUnknown, true);
  assert.equal(error.cause, cause);
});

test("mistakes in the set-up are not the provider's", () => {
  const error = new UnknownProviderError("x", ["a", "b"], "asked for");
  assert.ok(error instanceof ConfigurationError);
  assert.ok(!(error instanceof ProviderError));
  assert.equal(error.code, "UNKNOWN_PROVIDER");
  assert.match(error.message, /"x".*registered: a, b/);
});

test("a remote error has its name and arguments", () => {
  const error = new RemoteError("OverflowError", ["Tired", 3]);
  assert.equal(error.message, "Tired");
  assert.equal(error.remoteName, "OverflowError");
  assert.deepEqual(error.args, ["Tired", 3]);
});
