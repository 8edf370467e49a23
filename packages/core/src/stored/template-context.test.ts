import assert from "node:assert/strict";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import {
  checkTemplateContext,
  templateContextLimits,
} from "./template-context.ts";

/** The path and the reason that a context is refused with. */
function refusalOf(context: unknown): string | undefined {
  try {
    checkTemplateContext(context);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof Error && "code" in error);
    assert.equal(error.code, "TEMPLATE_CONTEXT_INVALID");
    return error.message;
  }
}

test("a JSON object is copied as it is", () => {
  const context = {
    a: { b: [1, "x", null, true, { c: -0.5 }] },
    "d e": "",
    missing: undefined,
  };
  const copy = checkTemplateContext(context);
  assert.equal(
    JSON.stringify(copy),
    '{"a":{"b":[1,"x",null,true,{"c":-0.5}]},"d e":""}',
  );
  context.a.b.push("later");
  assert.equal(JSON.stringify(copy).includes("later"), false);
});

test("absent is an empty object", () => {
  for (const absent of [undefined, null, {}]) {
    assert.deepEqual(Object.keys(checkTemplateContext(absent)), []);
  }
});

test("names such as __proto__ are data and reach no prototype", () => {
  const copy = checkTemplateContext(
    JSON.parse('{"__proto__":{"a":1},"constructor":"c","b":{"prototype":2}}'),
  );
  assert.equal(Object.getPrototypeOf(copy), null);
  assert.equal(
    JSON.stringify(copy),
    '{"__proto__":{"a":1},"constructor":"c","b":{"prototype":2}}',
  );
  assert.equal("toString" in copy, false);
  assert.equal(({} as { a?: unknown }).a, undefined);
});

test("objects of other realms are objects", () => {
  const context: unknown = runInNewContext("({ a: [{ b: 1 }] })");
  assert.equal(
    JSON.stringify(checkTemplateContext(context)),
    '{"a":[{"b":1}]}',
  );
});

test("what is no JSON is refused by its path", () => {
  const loop: { self?: unknown } = {};
  loop.self = [loop];
  const sparse: unknown[] = [];
  sparse[1] = 1;
  for (const [context, path, reason] of [
    ["text", "context", "a JSON object"],
    [[], "context", "a JSON object"],
    [{ a: { b: [() => 1] } }, "context.a.b[0]", "function"],
    [{ a: Symbol("s") }, "context.a", "symbol"],
    [{ a: { [Symbol("s")]: 1 } }, "context.a", "symbol"],
    [{ a: 1n }, "context.a", "bigint"],
    [{ a: Number.NaN }, "context.a", "NaN"],
    [{ a: Number.POSITIVE_INFINITY }, "context.a", "Infinity"],
    [{ a: new Date(0) }, "context.a", "class"],
    [{ a: new Map() }, "context.a", "class"],
    [{ a: Object.create({ b: 1 }) }, "context.a", "class"],
    [{ a: new (class extends Array {})() }, "context.a", "class"],
    [{ a: Buffer.from("x") }, "context.a", "class"],
    [{ a: sparse }, "context.a[0]", "undefined"],
    [loop, "context.self[0]", "within itself"],
  ] as const) {
    const refusal = refusalOf(context);
    assert.ok(refusal?.startsWith(`Invalid ${path}: `), refusal);
    assert.ok(refusal?.includes(reason), refusal);
  }
});

test("getters are refused and not called", () => {
  let calls = 0;
  const getter = {
    get price() {
      calls++;
      return 1;
    },
  };
  const list: unknown[] = [];
  Object.defineProperty(list, 0, { get: () => calls++, enumerable: true });
  assert.match(refusalOf({ getter }) ?? "", /context\.getter\.price: a getter/);
  assert.match(refusalOf({ list }) ?? "", /context\.list\[0\]: a getter/);
  assert.equal(calls, 0);
});

test("depth, values and bytes are bounded", () => {
  const { depth, values, bytes } = templateContextLimits;
  const nested = (levels: number): object =>
    levels === 1 ? {} : { a: nested(levels - 1) };
  assert.equal(refusalOf(nested(depth)), undefined);
  assert.match(refusalOf(nested(depth + 1)) ?? "", /at most 16 deep/);

  const list = (length: number) => ({ a: Array.from({ length }, () => 1) });
  assert.equal(refusalOf(list(values - 1)), undefined);
  assert.match(refusalOf(list(values)) ?? "", /at most 10000 values/);
  assert.match(refusalOf({ a: new Array(2 ** 31) }) ?? "", /10000 values/);

  const text = (length: number) => ({ a: "é".repeat(length) });
  assert.equal(refusalOf(text(bytes / 2 - 1)), undefined);
  assert.match(refusalOf(text(bytes / 2)) ?? "", /at most 256 KB/);
  assert.match(refusalOf({ ["x".repeat(bytes + 1)]: 1 }) ?? "", /256 KB/);
});

test("the same object twice is no loop", () => {
  const shared = { a: 1 };
  assert.equal(refusalOf({ b: shared, c: [shared, shared] }), undefined);
});
