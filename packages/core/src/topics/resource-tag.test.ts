import assert from "node:assert/strict";
import { test } from "node:test";
import {
  checkTagKey,
  defaultTagsPerTopic,
  mergeResourceTags,
  parseResourceTag,
  parseTagBatch,
} from "./resource-tag.ts";

const refused = { code: "RESOURCE_TAG_INVALID" };

test("a key has 1 to 128 characters of any language", () => {
  for (const key of ["env", "x".repeat(128), "😀".repeat(128), "a b/c*"]) {
    assert.equal(checkTagKey(key), key);
  }
  for (const key of [
    "",
    "x".repeat(129),
    "😀".repeat(129),
    "a\nb",
    "a\0",
    "\ud800",
    7,
    null,
    undefined,
  ]) {
    assert.throws(() => checkTagKey(key), refused);
  }
});

test("a value has at most 255 characters and may be empty or absent", () => {
  const parse = (value: unknown) => parseResourceTag({ key: "k", value }).value;
  assert.equal(parse(""), "");
  assert.equal(parse(undefined), "");
  assert.equal(parse("x".repeat(255)).length, 255);
  for (const value of ["x".repeat(256), "a\tb", 7, {}]) {
    assert.throws(() => parse(value), refused);
  }
  for (const tag of [undefined, null, "k", [], {}]) {
    assert.throws(() => parseResourceTag(tag), refused);
  }
});

test("a batch creates different keys", () => {
  const batch = (tags: unknown) => parseTagBatch({ action: "create", tags });
  assert.deepEqual(batch([{ key: "a", value: "1" }, { key: "b" }]), {
    action: "create",
    tags: [
      { key: "a", value: "1" },
      { key: "b", value: "" },
    ],
  });
  for (const tags of [
    undefined,
    null,
    [],
    {},
    "a",
    [null],
    [{ value: "1" }],
    [
      { key: "a", value: "1" },
      { key: "a", value: "2" },
    ],
  ]) {
    assert.throws(() => batch(tags), refused);
  }
});

test("a batch deletes keys whatever their values, repeated ones once", () => {
  const batch = (tags: unknown) => parseTagBatch({ action: "delete", tags });
  assert.deepEqual(
    batch([{ key: "a" }, { key: "b", value: 7 }, { key: "a", value: "1" }]),
    { action: "delete", keys: ["a", "b"] },
  );
  for (const tags of [undefined, [], [null], ["a"], [{ key: "" }]]) {
    assert.throws(() => batch(tags), refused);
  }
});

test("other actions are refused before the tags are looked at", () => {
  for (const body of [
    { action: "replace", tags: 7 },
    { action: "CREATE", tags: [] },
    { tags: [{ key: "a" }] },
    {},
    null,
    undefined,
    "create",
    [],
  ]) {
    assert.throws(() => parseTagBatch(body), { code: "TAG_ACTION_INVALID" });
  }
});

test("an added tag takes the place of the one with its key", () => {
  assert.deepEqual(
    mergeResourceTags(
      [
        { key: "a", value: "1" },
        { key: "b", value: "2" },
      ],
      [
        { key: "c", value: "3" },
        { key: "a", value: "4" },
      ],
    ),
    [
      { key: "a", value: "4" },
      { key: "b", value: "2" },
      { key: "c", value: "3" },
    ],
  );
});

test("a resource has at most as many tags as its quota", () => {
  const tags = Array.from({ length: defaultTagsPerTopic }, (_, i) => ({
    key: `k${i}`,
    value: "",
  }));
  assert.equal(mergeResourceTags([], tags).length, defaultTagsPerTopic);
  assert.throws(() => mergeResourceTags(tags, [{ key: "more", value: "" }]), {
    code: "RESOURCE_TAG_QUOTA_EXCEEDED",
  });
  // The quota was lowered: values can change, keys cannot be added.
  const change = mergeResourceTags(tags, [{ key: "k0", value: "new" }], 5);
  assert.equal(change[0]?.value, "new");
});
