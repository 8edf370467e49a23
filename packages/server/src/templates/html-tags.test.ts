import assert from "node:assert/strict";
import { test } from "node:test";
import { findTag } from "./html-tags.ts";

const tags = ["script", "object", "amp-iframe"];

test("finds the first banned tag, and where it begins", async () => {
  for (const [html, tag, at] of [
    ["<p>a</p><script>x</script>", "script", 8],
    ["<P>\n<SCRIPT src=x", "script", 4],
    ["<P>\n<ScRiPt src=x>", "script", 4],
    ["<p title='<script>'>", undefined, 0],
    ["<!-- <script> -->", undefined, 0],
    ["<p>&lt;script&gt;", undefined, 0],
    ["<scripts></scripts>", undefined, 0],
    ["<amp-iframe/>", "amp-iframe", 0],
    ["{{ '<script>' }}{% if a == \"<object>\" %}", undefined, 0],
    ["{{ a }}<object>", "object", 7],
    ["<svg><script/></svg>", "script", 5],
  ] as const) {
    assert.deepEqual(
      await findTag(html, tags, "source"),
      tag && { tag, at },
      html,
    );
  }
  assert.equal(await findTag("<script>", [], "source"), undefined);
});

test("looks at a megabyte at once", async () => {
  const cells = "<td>{{ a }}</td>".repeat(60_000);
  for (const html of [cells, "<".repeat(1_000_000), "{{".repeat(500_000)]) {
    assert.equal(await findTag(html, tags, "source"), undefined);
  }
});

test("of what was rendered, braces hide nothing", async () => {
  const html = "{{ <script> }}";
  assert.equal(await findTag(html, tags, "source"), undefined);
  assert.deepEqual(await findTag(html, tags, "rendered"), {
    tag: "script",
    at: 3,
  });
});
