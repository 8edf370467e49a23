import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type DeliveryState,
  deliveryStates,
  type StoredMessage,
  type StoredMessageFilter,
} from "@carillon/core";
import { listPage } from "./list-page.ts";
import { readFilter } from "./list-query.ts";

const id = (n: number) => `${String(n).padStart(32, "0")}-0`;
const projectId = "p" as never;

test("a query without parameters does not filter", () => {
  const { filter, hasState } = readFilter("sms", {});
  assert.equal(hasState, undefined);
  assert.ok(Object.values(filter).every((it) => it === undefined));
});

test("each parameter narrows the list down", () => {
  const { filter } = readFilter("email", {
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
    state: undefined,
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
      () => readFilter("sms", query as never),
      { code, message },
      JSON.stringify(query),
    );
  }
});

test("our states are the store's to filter by", () => {
  for (const state of deliveryStates) {
    const { filter, hasState } = readFilter("sms", { state });
    assert.deepEqual([filter.state, hasState], [state, undefined]);
  }
});

/** Messages from the newest on, each with its state by both names. */
function listOf(states: readonly (readonly [DeliveryState, string])[]) {
  const all = states.map(
    ([state, name], n) =>
      ({
        id: id(states.length - n),
        pymessState: { name, number: 0 },
        delivery: { state },
      }) as unknown as StoredMessage,
  );
  let calls = 0;
  return {
    get calls() {
      return calls;
    },
    list: async (
      _: unknown,
      { state }: StoredMessageFilter,
      { limit, before }: { limit: number; before?: string | undefined },
    ) => {
      calls++;
      const start = all.findIndex((it) => it.id === before) + 1;
      const rest = all
        .slice(start)
        .filter((it) => state === undefined || it.delivery.state === state);
      const messages = rest.slice(0, limit);
      const last = messages.at(-1);
      return {
        messages,
        ...(last && rest.length > limit && { next: last.id }),
      };
    },
  };
}

test("states by pymess's names are parts of ours, or several", async () => {
  const messages = listOf([
    ["sent", "SENDING"],
    ["sent", "SENT"],
    ["expired", "ERROR"],
    ["rejected", "ERROR_UPDATE"],
    ["expired", "ERROR_UPDATE"],
    ["waiting", "WAITING"],
    ["sending", "WAITING"],
    ["retrying", "ERROR_RETRY"],
  ]);
  for (const [state, expected] of [
    ["SENDING", [8]],
    ["SENT", [7]],
    ["ERROR", [6]],
    ["ERROR_UPDATE", [5, 4]],
    ["WAITING", [3, 2]],
    ["ERROR_RETRY", [1]],
    ["DELIVERED", []],
  ] as const) {
    const page = await listPage(
      messages,
      projectId,
      readFilter("sms", { state }),
      { limit: 10 },
    );
    assert.deepEqual(
      page.messages.map((it) => it.id),
      expected.map(id),
      state,
    );
    assert.equal(page.next, undefined);
  }
});

test("pages with such a state follow each other, none lost and none twice", async () => {
  const messages = listOf(
    Array.from({ length: 1501 }, (_, n) =>
      n % 500 === 0
        ? (["waiting", "WAITING"] as const)
        : (["failed", "ERROR"] as const),
    ),
  );
  const found: string[] = [];
  const filter = readFilter("sms", { state: "WAITING" });
  let before: string | undefined;
  do {
    const page = await listPage(messages, projectId, filter, {
      limit: 1,
      ...(before !== undefined && { before }),
    });
    found.push(...page.messages.map((it) => it.id));
    before = page.next;
  } while (before !== undefined);
  assert.deepEqual(found, [1501, 1001, 501, 1].map(id));
});

test("a page looks at no more than 2000, and says where it goes on", async () => {
  const messages = listOf(
    Array.from({ length: 5000 }, () => ["failed", "ERROR"] as const),
  );
  const page = await listPage(
    messages,
    projectId,
    readFilter("sms", { state: "WAITING" }),
    { limit: 10 },
  );
  assert.deepEqual([page.messages, page.next], [[], id(3001)]);
  assert.equal(messages.calls, 4);
});
