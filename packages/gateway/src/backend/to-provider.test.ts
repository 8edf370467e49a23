import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigurationError } from "../errors.ts";
import { NullProvider } from "../providers/null/provider.ts";
import type { Backend } from "./backend.ts";
import { BackendProvider } from "./backend-provider.ts";
import { toProvider } from "./to-provider.ts";

const backend: Backend = { publishMessage: () => {} };

class Mine implements Backend {
  static settings: unknown;
  constructor(settings: object) {
    Mine.settings = settings;
  }
  publishMessage() {}
}

for (const [title, value] of [
  ["an object", backend],
  ["a class", Mine],
  ["a function", () => backend],
] as const) {
  test(`makes a provider of ${title}`, () => {
    assert.ok(toProvider(value) instanceof BackendProvider);
  });
}

test("a provider stays what it is", () => {
  const provider = new NullProvider();
  assert.equal(toProvider(provider), provider);
  assert.ok(toProvider(NullProvider) instanceof NullProvider);
});

test("settings, name and errors are handed to what makes a backend", () => {
  const seen: unknown[] = [];
  const settings = { url: "http://example.com" };
  toProvider(
    (given, { name, errors }) => {
      seen.push(given, name, Object.keys(errors).length);
      return backend;
    },
    { name: "mine", settings },
  );
  assert.deepEqual(seen, [settings, "mine", 9]);
  toProvider(Mine, { settings });
  assert.equal(Mine.settings, settings);
});

class Other {
  send() {}
}

const mistakes: readonly [unknown, string][] = [
  [undefined, "expected an object with publishMessage(message), got undefined"],
  [5, "expected an object with publishMessage(message), got a number"],
  [{}, "expected a method as publishMessage, got undefined"],
  [
    { publishMessage: "yes", checkStates: 1, maxBatchSize: 0 },
    "expected a method as publishMessage, got a string; a method as checkStates, got a number; a whole number from 1 to 10000 as maxBatchSize, got a number",
  ],
  [
    Other,
    "the class Other makes no backend: expected a method as publishMessage, got undefined",
  ],
  [
    function make() {},
    "the function make makes no backend: expected an object with publishMessage(message), got undefined",
  ],
  [
    async function make() {
      throw new Error("late");
    },
    "the function make must not be async: what takes time is done by the backend's start",
  ],
  [
    function make() {
      throw new RangeError("no url, and hush-hush is no key");
    },
    "the function make threw RangeError: no url, and *** is no key",
  ],
];
for (const [value, message] of mistakes) {
  test(`refuses with "${message.slice(0, 60)}…"`, () => {
    assert.throws(
      () => toProvider(value, { secrets: ["hush-hush"] }),
      (error: unknown) => {
        assert.ok(error instanceof ConfigurationError);
        assert.equal(error.message, message);
        return true;
      },
    );
  });
}
