import assert from "node:assert/strict";
import { test } from "node:test";
import {
  checkNewTags,
  checkResourceTag,
  checkTagKey,
  checkTagKeys,
  defaultTagsPerTopic,
  mergeResourceTags,
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

test("a value has at most 255 characters and may be empty", () => {
  const check = (value: unknown) => checkResourceTag({ key: "k", value }).value;
  assert.equal(check(""), "");
  assert.equal(check("x".repeat(255)).length, 255);
  for (const value of ["x".repeat(256), "a\tb", 7, {}, undefined]) {
    assert.throws(() => check(value), refused);
  }
});

test("tags that are added together have different keys", () => {
  const tags = [
    { key: "a", value: "1" },
    { key: "b", value: "" },
  ];
  assert.deepEqual(checkNewTags(tags), tags);
  const again = { key: "a", value: "2" };
  for (const wrong of [
    [],
    [...tags, again],
    [{ key: undefined, value: "1" }],
  ]) {
    assert.throws(() => checkNewTags(wrong), refused);
  }
});

test("keys that are removed together may be repeated", () => {
  assert.deepEqual(checkTagKeys(["a", "b", "a"]), ["a", "b"]);
  for (const keys of [[], [""], ["a", undefined]]) {
    assert.throws(() => checkTagKeys(keys), refused);
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
