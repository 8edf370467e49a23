import assert from "node:assert/strict";
import { test } from "node:test";
import { Type as TypeBox } from "typebox";
import { Check } from "typebox/schema";
import { Type } from "./json-schema.ts";

const options = { description: "d", title: "t" };
const isShort = (value: string) => value.length < 3;

/** Every builder, alone and with options, built with either. */
function buildAll(type: typeof Type) {
  const short = type.Refine(type.String(options), isShort);
  return {
    array: type.Array(type.String(), { minItems: 1 }),
    boolean: [type.Boolean(), type.Boolean(options)],
    enum: [type.Enum(["a", "b"]), type.Enum([1, 2], options)],
    integer: [type.Integer(), type.Integer({ minimum: 1, ...options })],
    literal: [type.Literal("a"), type.Literal(1), type.Literal(true, options)],
    null: [type.Null(), type.Null(options)],
    number: [type.Number(), type.Number(options)],
    object: type.Object(
      {
        a: type.String(),
        b: type.Optional(short),
        c: type.Refine(type.Optional(type.String()), isShort),
        d: type.Null(),
        e: type.Object({}),
        f: type.Object({ a: type.Optional(type.String()) }),
      },
      { additionalProperties: false, ...options },
    ),
    optional: type.Optional(short),
    record: [
      type.Record(type.String(), type.Integer()),
      type.Record(type.String(), type.Integer(), options),
    ],
    refine: short,
    string: [type.String(), type.String({ pattern: "^a$", ...options })],
    union: [
      type.Union([type.String(), type.Null()]),
      type.Union([type.Literal("a"), type.Literal("b")], options),
    ],
    unknown: [type.Unknown(), type.Unknown(options)],
  };
}

test("builds what TypeBox's builders build", () => {
  const ours = buildAll(Type);
  assert.deepEqual(
    Object.keys(ours).toSorted(),
    Object.keys(Type)
      .map((name) => name.toLowerCase())
      .toSorted(),
  );
  assert.equal(JSON.stringify(ours), JSON.stringify(buildAll(TypeBox)));
});

test("refined schemas check, in a schema around them, too", () => {
  const { refine, object } = buildAll(Type);
  assert.ok(Check(refine, "ab"));
  assert.ok(!Check(refine, "abc"));
  const needed = { a: "", d: null, e: {}, f: {} };
  assert.ok(Check(object, needed));
  assert.ok(Check(object, { ...needed, b: "ab", c: "ab" }));
  assert.ok(!Check(object, { ...needed, b: "abc" }));
  assert.ok(!Check(object, { ...needed, c: "abc" }));
});
