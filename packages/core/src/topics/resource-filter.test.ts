import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  matchesResource,
  parseResourceFilter,
  parseResourceQuery,
  type TaggedResource,
} from "./resource-filter.ts";

const refused = { code: "RESOURCE_FILTER_INVALID" };

const prod: TaggedResource = {
  name: "ops_alerts",
  tags: [
    { key: "env", value: "prod" },
    { key: "team", value: "ops" },
  ],
};
const test1: TaggedResource = {
  name: "test1",
  tags: [{ key: "env", value: "test" }],
};
const bare: TaggedResource = { name: "bare", tags: [] };

function find(filter: Record<string, unknown>): string[] {
  const parsed = parseResourceFilter(filter);
  return [prod, test1, bare]
    .filter((resource) => matchesResource(parsed, resource))
    .map(({ name }) => name);
}

const env = (...values: string[]) => ({ key: "env", values });
const team = (...values: string[]) => ({ key: "team", values });

test("no constraint finds everything", () => {
  const all = ["ops_alerts", "test1", "bare"];
  assert.deepEqual(find({}), all);
  assert.deepEqual(
    find({
      tags: [],
      tags_any: null,
      not_tags: [],
      not_tags_any: [],
      matches: [],
      without_any_tag: false,
    }),
    all,
  );
});

test("tags wants all keys, tags_any one, each with one of its values", () => {
  assert.deepEqual(find({ tags: [env("prod", "test")] }), [
    "ops_alerts",
    "test1",
  ]);
  assert.deepEqual(find({ tags: [env("prod", "test"), team("ops")] }), [
    "ops_alerts",
  ]);
  assert.deepEqual(find({ tags_any: [env("test"), team("ops")] }), [
    "ops_alerts",
    "test1",
  ]);
});

test("not_tags excludes who has all of them, not_tags_any who has one", () => {
  assert.deepEqual(find({ not_tags: [env("prod", "test"), team()] }), [
    "test1",
    "bare",
  ]);
  assert.deepEqual(find({ not_tags_any: [env("test"), team()] }), ["bare"]);
});

test("no values mean any value", () => {
  assert.deepEqual(find({ tags: [{ key: "team" }] }), ["ops_alerts"]);
  assert.deepEqual(find({ tags_any: [env()] }), ["ops_alerts", "test1"]);
});

test("a value behind a star is searched for in the tags' values", () => {
  assert.deepEqual(find({ tags: [env("*es")] }), ["test1"]);
  assert.deepEqual(find({ tags: [env("*")] }), ["ops_alerts", "test1"]);
  assert.deepEqual(find({ tags: [env("es")] }), []);
});

test("without_any_tag finds the untagged, whatever the lists say", () => {
  assert.deepEqual(find({ without_any_tag: true, tags: [env()] }), ["bare"]);
  assert.deepEqual(
    find({
      without_any_tag: true,
      matches: [{ key: "resource_name", value: "test1" }],
    }),
    [],
  );
});

test("matches finds the exact name; an empty one does not constrain", () => {
  const named = (value?: string) =>
    find({ matches: [{ key: "resource_name", value }] });
  assert.deepEqual(named("test1"), ["test1"]);
  assert.deepEqual(named("TEST1"), []);
  assert.equal(named("").length, 3);
  assert.equal(named(undefined).length, 3);
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
    assert.throws(() => parseResourceFilter(filter), refused);
  }
});

test("a query filters a page or counts", () => {
  assert.deepEqual(
    parseResourceQuery({ action: "filter", offset: "10", limit: 7 }),
    {
      action: "filter",
      filter: parseResourceFilter({}),
      page: { offset: 10, limit: 7 },
    },
  );
  const query = parseResourceQuery({ action: "filter" });
  assert.deepEqual(query.action === "filter" && query.page, {
    offset: 0,
    limit: 1000,
  });
  // Paging belongs to filter only.
  assert.equal(
    parseResourceQuery({ action: "count", limit: "none" }).action,
    "count",
  );
});

test("unknown actions and pages out of bounds are refused", () => {
  for (const body of [{ action: "FILTER" }, {}, null, undefined, "filter"]) {
    assert.throws(() => parseResourceQuery(body), {
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
    assert.throws(() => parseResourceQuery({ action: "filter", ...page }), {
      code: "PAGE_INVALID",
    });
  }
});

const key = fc.constantFrom("a", "b", "c");
const value = fc.constantFrom("", "x", "xy", "yx", "z");
const patterns = fc.uniqueArray(
  fc.record({
    key,
    values: fc.uniqueArray(fc.constantFrom("", "x", "xy", "*x", "*y", "*"), {
      maxLength: 3,
    }),
  }),
  { selector: (one) => one.key },
);

type Patterns = readonly { key: string; values: string[] }[];

test("filters agree with counting the patterns a resource meets", () => {
  fc.assert(
    fc.property(
      patterns,
      patterns,
      patterns,
      patterns,
      fc.uniqueArray(fc.record({ key, value }), {
        selector: (one) => one.key,
      }),
      (tags, tags_any, not_tags, not_tags_any, present) => {
        const held = new Map<string, string>(
          present.map((tag) => [tag.key, tag.value]),
        );
        const met = (list: Patterns) =>
          list.filter(({ key, values }) => {
            const actual = held.get(key);
            if (actual === undefined) return false;
            if (values.length === 0) return true;
            return values.some((wanted) =>
              /^\*/.test(wanted)
                ? actual.indexOf(wanted.replace("*", "")) >= 0
                : actual === wanted,
            );
          }).length;
        const expected =
          met(tags) === tags.length &&
          (tags_any.length === 0 || met(tags_any) > 0) &&
          (not_tags.length === 0 || met(not_tags) < not_tags.length) &&
          met(not_tags_any) === 0;
        const filter = parseResourceFilter({
          tags,
          tags_any,
          not_tags,
          not_tags_any,
        });
        assert.equal(
          matchesResource(filter, { name: "n", tags: present }),
          expected,
        );
      },
    ),
    { numRuns: 1000 },
  );
});
