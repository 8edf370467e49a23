import assert from "node:assert/strict";
import { test } from "node:test";
import { Type } from "../json-schema.ts";
import { compileValidator, failsWith } from "./validation.ts";

function validate(schema: object, value: unknown, httpPart = "body") {
  const check = compileValidator({
    schema,
    method: "POST",
    url: "/",
    httpPart,
  } as Parameters<typeof compileValidator>[0]);
  const result = check(value);
  if (typeof result !== "object" || !("error" in result)) return result;
  return result.error instanceof Error ? result.error.message : result.error;
}

test("the first violation is reported, the outermost before the others", () => {
  const schema = Type.Object(
    {
      name: Type.String({ maxLength: 3 }),
      list: Type.Optional(
        Type.Array(Type.Object({ id: Type.Integer() }), { maxItems: 2 }),
      ),
      any: Type.Optional(
        Type.Union([Type.String(), Type.Array(Type.String())]),
      ),
    },
    failsWith("REQUEST_INVALID"),
  );
  for (const [value, expected] of [
    [{ name: "abc", list: [{ id: 1 }], any: ["a"] }, true],
    [[], /^The request must be a JSON object/],
    [{ list: 1 }, /^name is missing/],
    [{ name: 1, list: 1 }, /^name must be string/],
    [{ name: "abcd" }, /^name must not have more than 3 characters/],
    [{ name: "a", list: [1, 2, 3] }, /^list must not have more than 2 items/],
    [{ name: "a", list: [{ id: 1 }, {}] }, /^list.1.id is missing/],
    [{ name: "a", list: [{ id: "1" }] }, /^list.0.id must be integer/],
    [{ name: "a", any: 1 }, /^any must be string/],
    [{ name: "a", any: ["b", 1] }, /^any.1 must be string/],
  ] as const) {
    const result = validate(schema, value);
    if (expected === true) assert.equal(result, true);
    else assert.match(String(result), expected);
  }
});

test("a closed object's unknown member is named, with those it has", () => {
  const closed = { additionalProperties: false };
  const filter = Type.Object(
    { topicUrn: Type.Optional(Type.String()), free: Type.Unknown() },
    closed,
  );
  const schema = Type.Object(
    {
      name: Type.String(),
      filter: Type.Optional(filter),
      list: Type.Optional(
        Type.Array(Type.Union([Type.Null(), Type.Object({}, closed)])),
      ),
    },
    closed,
  );
  for (const [value, expected] of [
    [{ name: "a", filter: { free: { x: { y: 1 } } } }, true],
    [
      { name: "a", filter: { topic: "t", free: 1 } },
      "filter has no member topic; it has topicUrn, free.",
    ],
    [{ nam: "a" }, "The body has no member nam; it has name, filter, list."],
    [
      { name: "a", list: [null, { b: 1 }] },
      "list.1 has no member b; it has none.",
    ],
  ] as const) {
    assert.equal(validate(schema, value), expected);
  }
  assert.equal(
    validate(filter, { topic: "t" }, "querystring"),
    "This route has no query parameter topic; it has topicUrn, free.",
  );
  const long = "x".repeat(1000);
  assert.match(String(validate(schema, { [long]: 1 })), /^.{20,150}$/);
});

test("values that are listed are named", () => {
  const schema = Type.Object({
    kind: Type.Enum(["topic", "direct"]),
    of: Type.Optional(
      Type.Object({
        role: Type.Union([Type.Literal("member"), Type.Literal("admin")]),
      }),
    ),
  });
  assert.equal(
    validate(schema, { kind: "x" }),
    "kind must be one of topic, direct.",
  );
  assert.equal(
    validate(schema, { kind: "topic", of: { role: 1 } }),
    "of.role must be one of member, admin.",
  );
});

test("a list is not looked through for what is wrong beyond its bound", () => {
  const schema = Type.Object({
    list: Type.Array(Type.String(), { maxItems: 9 }),
  });
  let looks = 0;
  const list: unknown[] = new Proxy(
    Array.from({ length: 10_000 }, () => 1),
    {
      get(target, name) {
        if (typeof name === "string" && /^\d+$/.test(name)) looks++;
        return Reflect.get(target, name);
      },
    },
  );
  assert.match(String(validate(schema, { list })), /more than 9 items/);
  assert.ok(looks <= 10, `${looks}`);
});
