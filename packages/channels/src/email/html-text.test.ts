import assert from "node:assert/strict";
import { test } from "node:test";
import { textOfHtml } from "./html-text.ts";

for (const [what, html, text] of [
  [
    "paragraphs and what is emphasized",
    "<h1>Your order</h1><p>Dear <b>Jane</b>,<br>it is <i>here</i>.</p>",
    "Your order\n\nDear Jane,\nit is here.",
  ],
  [
    "links with their addresses",
    '<a href="https://a.example/x?y=1&amp;z=2">our shop</a>, <a href="https://b.example/">https://b.example/</a>',
    "our shop <https://a.example/x?y=1&z=2>, https://b.example/",
  ],
  ["lists", "<ul><li>one</li><li>two</li></ul>", " * one\n * two"],
  [
    "nothing of images, styles and scripts",
    '<style>a{}</style><script>x()</script><img src="cid:a" alt="A"><p>Hi</p>',
    "Hi",
  ],
  ["characters of all scripts", "<p>שלום &#128075; &eacute;</p>", "שלום 👋 é"],
  ["HTML that is cut off", "<p>Hi <b>you", "Hi you"],
  [
    "nothing to read",
    '<img src="cid:a">',
    "This mail can be read in a program that shows HTML.",
  ],
] as const) {
  test(`makes text of ${what}`, async () => {
    assert.equal(await textOfHtml(html), text);
  });
}

for (const [what, html] of [
  ["deep", "<div>".repeat(200_000)],
  [
    "deep behind a script that looks like its end",
    "<div><script></div></script>".repeat(35_000),
  ],
  ["wide", `<table><tr>${"<td>x".repeat(200_000)}`],
  ["unclosed headings", "<h1>x".repeat(200_000)],
  ["lists in lists", "<ul><li>".repeat(130_000)],
  ["ends without a start", "</b>".repeat(250_000)],
  ["one attribute", `<a ${"b ".repeat(500_000)}>`],
  ["one word", "x".repeat(1_000_000)],
  ["paragraphs", "<p>x</p>".repeat(29_000)],
] as const) {
  test(`is soon done with HTML that is ${what}`, async () => {
    await textOfHtml("warm");
    const startedAt = performance.now();
    assert.notEqual(await textOfHtml(html), "");
    assert.ok(performance.now() - startedAt < 1500);
  });
}
