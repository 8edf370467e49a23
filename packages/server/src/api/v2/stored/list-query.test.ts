import assert from "node:assert/strict";
import { test } from "node:test";
import { deliveryStates, pymessStateNames } from "@carillon/core";
import { readFilter } from "./list-query.ts";

const id = (n: number) => `${String(n).padStart(32, "0")}-0`;

test("a query without parameters does not filter", () => {
  assert.deepEqual(given({}), {});
});

test("each parameter narrows the list down", () => {
  const filter = given({
    tag: "t",
    template: "s",
    to: "a@b.example",
    relatedObjectType: ["user", "order"],
    relatedObjectId: ["7", "x"],
    since: "2026-01-01T00:00:00Z",
    until: "2026-01-01T00:00:01Z",
    before: id(1),
  });
  assert.deepEqual(filter, {
    tag: "t",
    templateSlug: "s",
    to: "a@b.example",
    relatedObjects: [
      { type: "user", id: "7" },
      { type: "order", id: "x" },
    ],
    since: Date.UTC(2026, 0, 1),
    until: Date.UTC(2026, 0, 1, 0, 0, 1),
  });
});

test("parameters that cannot be are refused precisely", () => {
  for (const [query, code, message] of [
    [{ state: "lost" }, "REQUEST_INVALID", /^state must be one of waiting, /],
    [{ state: "error_retry" }, "REQUEST_INVALID", /ERROR_RETRY/],
    [{ state: "9" }, "REQUEST_INVALID", /state must be/],
    [{ tag: "a b" }, "MESSAGE_OPTION_INVALID", /Invalid tag/],
    [{ since: "yesterday" }, "REQUEST_INVALID", /^since is not as expected/],
    [{ until: "2026-01-01" }, "REQUEST_INVALID", /^until is not as expected/],
    [
      { since: "2026-01-02T00:00:00Z", until: "2026-01-01T00:00:00Z" },
      "REQUEST_INVALID",
      /an instant after since/,
    ],
    [
      { since: "2026-01-01T00:00:00Z", until: "2026-01-01T00:00:00Z" },
      "REQUEST_INVALID",
      /an instant after since/,
    ],
    [{ before: "x" }, "PAGE_INVALID", /^Invalid before/],
    [{ before: "" }, "PAGE_INVALID", /^Invalid before/],
    [
      { relatedObjectType: "user" },
      "MESSAGE_OPTION_INVALID",
      /^relatedObjectId is missing/,
    ],
    [
      { relatedObjectType: "user", relatedObjectId: ["1", "2"] },
      "MESSAGE_OPTION_INVALID",
      /^relatedObjectType is missing/,
    ],
    [
      { relatedObjectType: "a b", relatedObjectId: "1" },
      "MESSAGE_OPTION_INVALID",
      /type must be/,
    ],
    [
      { relatedObjectType: "user", relatedObjectId: "" },
      "MESSAGE_OPTION_INVALID",
      /id must be/,
    ],
  ] as const) {
    assert.throws(
      () => readFilter(query as never),
      { code, message },
      JSON.stringify(query),
    );
  }
});

test("states go by our names, and by pymess's", () => {
  for (const state of deliveryStates) {
    assert.deepEqual(given({ state }), { state });
  }
  for (const pymessState of pymessStateNames) {
    assert.deepEqual(given({ state: pymessState }), { pymessState });
  }
});

function given(query: Parameters<typeof readFilter>[0]) {
  return Object.fromEntries(
    Object.entries(readFilter(query)).filter(([, it]) => it !== undefined),
  );
}
