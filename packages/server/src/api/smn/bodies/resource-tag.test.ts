import assert from "node:assert/strict";
import { test } from "node:test";
import { readResourceTag, readTagBatch } from "./resource-tag.ts";

const refused = { code: "RESOURCE_TAG_INVALID" };

test("an absent value is an empty one", () => {
  for (const tag of [{ key: "k" }, { key: "k", value: null }]) {
    assert.deepEqual(readResourceTag(tag), { key: "k", value: "" });
  }
  const given = { key: "k", value: "v" };
  assert.deepEqual(readResourceTag({ ...given, more: 1 }), given);
  for (const tag of [undefined, null, "k", 7]) {
    assert.throws(() => readResourceTag(tag), refused);
  }
});

test("a batch creates tags", () => {
  assert.deepEqual(
    readTagBatch({
      action: "create",
      tags: [{ key: "a", value: "1" }, { key: "b" }],
    }),
    {
      action: "create",
      tags: [
        { key: "a", value: "1" },
        { key: "b", value: "" },
      ],
    },
  );
});

test("a batch deletes keys, whatever their values", () => {
  assert.deepEqual(
    readTagBatch({
      action: "delete",
      tags: [{ key: "a" }, { key: "b", value: 7 }],
    }),
    { action: "delete", keys: ["a", "b"] },
  );
});

test("what is no list of objects is no batch", () => {
  for (const action of ["create", "delete"]) {
    for (const tags of [undefined, null, {}, "a", [null], ["a"]]) {
      assert.throws(() => readTagBatch({ action, tags }), refused);
    }
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
    assert.throws(() => readTagBatch(body), { code: "TAG_ACTION_INVALID" });
  }
});
