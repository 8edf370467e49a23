import assert from "node:assert/strict";
import { test } from "node:test";
import { findProblem } from "./html-tags.ts";

const tags = ["script", "object", "amp-iframe", "img"];

test("finds the first banned tag, and where it begins", async () => {
  for (const [html, tag, at] of [
    ["<p>a</p><script>x</script>", "script", 8],
    ["<P>\n<SCRIPT src=x>", "script", 4],
    ["<P>\r\n<ScRiPt src=x>", "script", 5],
    ["<p title='<script>'>", undefined, 0],
    ['<p title="a\'<script>">', undefined, 0],
    ["<p title='x\"><script>' a=\"'><script>", undefined, 0],
    ["<p title=<script>", undefined, 0],
    ["<p title=a><script>", "script", 11],
    ["<p/title='<script>'>", undefined, 0],
    ["<!-- <script> -->", undefined, 0],
    ["<!--><script>", "script", 5],
    ["<!---><script>", "script", 6],
    ["<!-- --!><script>", "script", 9],
    ["<!-- -- ><script> -->", undefined, 0],
    ["<!x<script>><script>", "script", 12],
    ["<?php <script>?><script>", "script", 16],
    ["</ <script>><script>", "script", 12],
    ["</script><p>", undefined, 0],
    ["<p>&lt;script&gt;", undefined, 0],
    ["<scripts></scripts>", undefined, 0],
    ["< script>", undefined, 0],
    ["<scr\0ipt>", undefined, 0],
    ["\0<script\0>", undefined, 0],
    ["a\0<script/\0>", "script", 2],
    ["<scr<script>ipt>alert(1)</scr</script>ipt>", undefined, 0],
    ["<script/src=x>", "script", 0],
    ["<script\n>", "script", 0],
    ["<script\f>", "script", 0],
    ["<amp-iframe/>", "amp-iframe", 0],
    ["<image>", "img", 0],
    ["{{ '<script>' }}{% if a == \"<object>\" %}", undefined, 0],
    ["{{ a }}<object>", "object", 7],
    // What ends where it does in HTML alone.
    ["<![CDATA[ > <script>alert(1)</script> ]]>", "script", 12],
    ["<svg><![CDATA[ > <script> ]]></svg>", undefined, 0],
    ["<svg><![CDATA[ <!-- ]]></svg><script>", "script", 29],
    ["<svg></svg><![CDATA[ > <script> ]]>", "script", 23],
    ["<svg><p><![CDATA[ > <script> ]]>", "script", 20],
    ["<svg><desc><![CDATA[ > <script> ]]>", "script", 23],
    ["<math><mi><![CDATA[ > <script> ]]>", "script", 22],
    ["<math><mi><mglyph><![CDATA[ > <script> ]]>", undefined, 0],
    // What has text in HTML and elements in SVG, and the other way round.
    ["<svg><desc><title><script>", undefined, 0],
    ["<svg><title><script>", "script", 12],
    ["<svg><style><script>", "script", 12],
    ["<svg><script/></svg>", "script", 5],
    ["<svg><foreignObject><script>", "script", 20],
    ["<title><script></title>", undefined, 0],
    ["<title></svg></title><script>", "script", 21],
    ["<style><!-- </style><script>", "script", 20],
    ["<style><script></style>", undefined, 0],
    ["<textarea><script></textarea>", undefined, 0],
    ["<textarea></textarea ><script>", "script", 22],
    ["<xmp><script></xmp>", undefined, 0],
    ["<iframe><script></iframe>", undefined, 0],
    ["<plaintext><script>", undefined, 0],
    ["<template><script>", "script", 10],
    ["<table><tr><script>", "script", 11],
    // What programs do not agree on.
    ["<noscript><script></noscript>", "script", 10],
    ["<noscript><!-- </noscript><script>", "script", 26],
    ["<select><svg><![CDATA[><script>]]>", "script", 23],
    ["<select><style><!-- </style><script>", "script", 28],
    ["<frameset><style><!-- </style><script>", "script", 30],
  ] as const) {
    assert.deepEqual(
      await findProblem(html, tags, "source"),
      tag && { problem: `The tag ${tag} is banned`, at },
      html,
    );
  }
  assert.equal(await findProblem("<script>", [], "source"), undefined);
});

test("finds a tag behind any number of characters", async () => {
  const text = "<p>\r\n\u{1F600}</p>";
  for (let length = 16_370; length < 16_390; length++) {
    const before = text + "-".repeat(length - text.length);
    assert.equal(
      (await findProblem(`${before}<script>`, tags, "source"))?.at,
      length,
    );
    assert.equal(
      await findProblem(`${before}<!-- <script> -->`, tags, "source"),
      undefined,
    );
  }
});

test("looks at a megabyte of anything", async () => {
  const names = Array.from({ length: 150_000 }, (_, n) => n.toString(36));
  for (const html of [
    "<td>{{ a }}</td>".repeat(60_000),
    "<".repeat(1_000_000),
    "{{".repeat(500_000),
    `<p ${names.join(" ")}>`,
    `<p a="${"<script>".repeat(120_000)}">`,
    "</p>".repeat(250_000),
  ]) {
    assert.equal(await findProblem(html, tags, "source"), undefined);
  }
});

test("elements are not nested deeper than browsers nest them", async () => {
  const problem = "Elements are nested more than 512 deep";
  // With those of the page around them.
  const fits = "<div>".repeat(509);
  assert.equal(await findProblem(fits, tags, "rendered"), undefined);
  const found = await findProblem(`${fits}<p><p>`, tags, "rendered");
  assert.equal(found, undefined);
  for (const [html, at] of [
    [`${fits}<p><b>`, 509 * 5 + 3],
    ["<div>".repeat(200_000), 510 * 5],
  ] as const) {
    assert.deepEqual(await findProblem(html, tags, "rendered"), {
      problem,
      at,
    });
  }
  for (const part of ["<a x={}>", "<p><b x={}>", "<b x={}></p>"]) {
    const html = Array.from({ length: 80_000 }, (_, n) =>
      part.replace("{}", `${n}`),
    ).join("");
    const deep = await findProblem(html, tags, "rendered");
    if (deep) assert.equal(deep.problem, problem);
  }
});

test("of what was rendered, braces hide nothing", async () => {
  const html = "{{ <script> }}";
  assert.equal(await findProblem(html, tags, "source"), undefined);
  assert.deepEqual(await findProblem(html, tags, "rendered"), {
    problem: "The tag script is banned",
    at: 3,
  });
});
