import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { findExcess } from "./json-extent.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const roomy = { values: 1e9, members: 1e9, depth: 1e9 };

/** Counts in what the parser made. */
function extentOf(value: unknown): typeof roomy {
  const own = { values: 1, members: 0, depth: 0 };
  if (typeof value !== "object" || value === null) return own;
  const inner = Object.values(value).map(extentOf);
  const sum = (pick: (one: typeof roomy) => number) =>
    inner.map(pick).reduce((a, b) => a + b, 0);
  return {
    values: 1 + sum((one) => one.values),
    members:
      (Array.isArray(value) ? 0 : inner.length) + sum((one) => one.members),
    depth: 1 + Math.max(0, ...inner.map((one) => one.depth)),
  };
}

test("each limit holds to the last value, member and level", () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom(0, 1, "\t"), (json, indent) => {
      // Parsed anew: of names that come twice one is left.
      const value: unknown = JSON.parse(json);
      const bytes = encode(JSON.stringify(value, null, indent));
      const extent = extentOf(value);
      assert.equal(findExcess(bytes, extent), undefined);
      for (const limit of ["values", "members", "depth"] as const) {
        const tight = { ...roomy, [limit]: extent[limit] - 1 };
        if (tight[limit] < 0) continue;
        assert.equal(findExcess(bytes, tight), limit);
      }
    }),
  );
});

test("what stands in texts does not count", () => {
  const text = JSON.stringify(['[{"a":1}],[{"\\"', "é\u2028[", "\\"]);
  const limits = { values: 4, members: 0, depth: 1 };
  assert.equal(findExcess(encode(text), limits), undefined);
  const escaped = encode('["\\u005b\\"[[","\\\\"]');
  assert.equal(findExcess(escaped, { ...limits, values: 3 }), undefined);
});

test("what is no JSON is measured or left to the parser", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      findExcess(bytes, { values: 3, members: 3, depth: 3 });
    }),
  );
  for (const text of ["", '"', '"\\', "[", "]]]", "}", ":::", "nul", "-"]) {
    assert.equal(findExcess(encode(text), roomy), undefined);
  }
});
