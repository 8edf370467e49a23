import assert from "node:assert/strict";
import { test } from "node:test";
import { createResourceFilter } from "@carillon/core";
import { readResourceFilter, readResourceQuery } from "./resource-query.ts";

const refused = { code: "RESOURCE_FILTER_INVALID" };

const env = (...values: string[]) => ({ key: "env", values });

test("a filter is read from SMN's names", () => {
  assert.deepEqual(
    readResourceFilter({
      tags: [{ key: "team" }],
      tags_any: [env("prod", "*es")],
      not_tags: [env("a")],
      not_tags_any: [env("b")],
      without_any_tag: false,
      matches: [{ key: "resource_name", value: "test1" }],
    }),
    createResourceFilter({
      tags: [{ key: "team", values: [] }],
      tagsAny: [env("prod", "*es")],
      notTags: [env("a")],
      notTagsAny: [env("b")],
      name: "test1",
    }),
  );
});

test("absent, null and empty members do not constrain", () => {
  const nothing = createResourceFilter({});
  for (const absent of [undefined, null, []]) {
    assert.deepEqual(
      readResourceFilter({
        tags: absent,
        tags_any: absent,
        not_tags: absent,
        not_tags_any: absent,
        matches: absent,
      }),
      nothing,
    );
  }
  for (const value of [undefined, null, ""]) {
    const matches = [{ key: "resource_name", value }];
    assert.deepEqual(readResourceFilter({ matches }), nothing);
  }
});

test("filters that break a rule are refused", () => {
  const many = Array.from({ length: 21 }, (_, i) => `v${i}`);
  for (const filter of [
    { tags: {} },
    { tags: "env" },
    { tags: [null] },
    { tags: ["env"] },
    { tags: [{ values: ["x"] }] },
    { tags: [{ key: "", values: [] }] },
    { tags: [{ key: "x".repeat(129) }] },
    { tags: [{ key: "env", values: "prod" }] },
    { tags: [{ key: "env", values: [7] }] },
    { tags: [env("a", "a")] },
    { tags: [env(...many)] },
    { tags: [env("x".repeat(257))] },
    { tags: [env("a"), env("b")] },
    { tags_any: many.map((key) => ({ key })) },
    { not_tags: 7 },
    { not_tags_any: [7] },
    { without_any_tag: "true" },
    { matches: {} },
    { matches: [null] },
    { matches: [{ key: "resource_id", value: "x" }] },
    { matches: [{ key: "resource_name", value: 7 }] },
    {
      matches: [
        { key: "resource_name", value: "a" },
        { key: "resource_name", value: "b" },
      ],
    },
  ]) {
    assert.throws(() => readResourceFilter(filter), refused);
  }
});

test("a query filters a page or counts", () => {
  assert.deepEqual(
    readResourceQuery({ action: "filter", offset: "10", limit: 7 }),
    {
      action: "filter",
      filter: readResourceFilter({}),
      page: { offset: 10, limit: 7 },
    },
  );
  const query = readResourceQuery({ action: "filter" });
  assert.deepEqual(query.action === "filter" && query.page, {
    offset: 0,
    limit: 1000,
  });
  // Paging belongs to filter only.
  assert.equal(
    readResourceQuery({ action: "count", limit: "none" }).action,
    "count",
  );
});

test("unknown actions and pages out of bounds are refused", () => {
  for (const body of [{ action: "FILTER" }, {}, null, undefined, "filter"]) {
    assert.throws(() => readResourceQuery(body), {
      code: "TAG_ACTION_INVALID",
    });
  }
  for (const page of [
    { limit: "0" },
    { limit: "1001" },
    { limit: "x" },
    { limit: "" },
    { limit: 1.5 },
    { offset: "-1" },
    { offset: {} },
  ]) {
    assert.throws(() => readResourceQuery({ action: "filter", ...page }), {
      code: "PAGE_INVALID",
    });
  }
});
