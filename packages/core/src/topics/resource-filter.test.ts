import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  createResourceFilter,
  matchesResource,
  type ResourceFilterRequest,
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

function find(filter: ResourceFilterRequest): string[] {
  const parsed = createResourceFilter(filter);
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
      tagsAny: [],
      notTags: [],
      notTagsAny: [],
      name: "",
      withoutAnyTag: false,
    }),
    all,
  );
});

test("tags wants all keys, tagsAny one, each with one of its values", () => {
  assert.deepEqual(find({ tags: [env("prod", "test")] }), [
    "ops_alerts",
    "test1",
  ]);
  assert.deepEqual(find({ tags: [env("prod", "test"), team("ops")] }), [
    "ops_alerts",
  ]);
  assert.deepEqual(find({ tagsAny: [env("test"), team("ops")] }), [
    "ops_alerts",
    "test1",
  ]);
});

test("notTags excludes who has all of them, notTagsAny who has one", () => {
  assert.deepEqual(find({ notTags: [env("prod", "test"), team()] }), [
    "test1",
    "bare",
  ]);
  assert.deepEqual(find({ notTagsAny: [env("test"), team()] }), ["bare"]);
});

test("no values mean any value", () => {
  assert.deepEqual(find({ tags: [team()] }), ["ops_alerts"]);
  assert.deepEqual(find({ tagsAny: [env()] }), ["ops_alerts", "test1"]);
});

test("a value behind a star is searched for in the tags' values", () => {
  assert.deepEqual(find({ tags: [env("*es")] }), ["test1"]);
  assert.deepEqual(find({ tags: [env("*")] }), ["ops_alerts", "test1"]);
  assert.deepEqual(find({ tags: [env("es")] }), []);
});

test("withoutAnyTag finds the untagged, whatever the lists say", () => {
  assert.deepEqual(find({ withoutAnyTag: true, tags: [env()] }), ["bare"]);
  assert.deepEqual(
    find({
      withoutAnyTag: true,
      name: "test1",
    }),
    [],
  );
});

test("a name finds the exact one; an empty one does not constrain", () => {
  const named = (value?: string) => find({ name: value });
  assert.deepEqual(named("test1"), ["test1"]);
  assert.deepEqual(named("TEST1"), []);
  assert.equal(named("").length, 3);
  assert.equal(named(undefined).length, 3);
});

test("filters that break a rule are refused", () => {
  const many = Array.from({ length: 21 }, (_, i) => `v${i}`);
  for (const filter of [
    { tags: [{ key: undefined, values: ["x"] }] },
    { tags: [{ key: "", values: [] }] },
    { tags: [{ key: "x".repeat(129), values: [] }] },
    { tags: [{ key: "env", values: [7] }] },
    { tags: [env("a", "a")] },
    { tags: [env(...many)] },
    { tags: [env("x".repeat(257))] },
    { tags: [env("a"), env("b")] },
    { tagsAny: many.map((key) => ({ key, values: [] })) },
  ]) {
    assert.throws(() => createResourceFilter(filter), refused);
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
      (tags, tagsAny, notTags, notTagsAny, present) => {
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
          (tagsAny.length === 0 || met(tagsAny) > 0) &&
          (notTags.length === 0 || met(notTags) < notTags.length) &&
          met(notTagsAny) === 0;
        const filter = createResourceFilter({
          tags,
          tagsAny,
          notTags,
          notTagsAny,
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
