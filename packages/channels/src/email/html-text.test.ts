import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCost } from "@carillon/testing";
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
  [
    "lists in lists",
    '<ul><li>one<ol start="9"><li>a<li>b</ol><li>two</ul>end',
    " * one\n    9. a\n    10. b\n * two\n\nend",
  ],
  [
    "quotes",
    "<p>Re:</p><blockquote><p>a</p><p>b</p><blockquote>c</blockquote></blockquote>d",
    "Re:\n\n> a\n>\n> b\n>\n> > c\n\nd",
  ],
  [
    "rows and cells",
    "<table><tr><th>Item</th><th>Price</th></tr><tr><td>Tea</td><td>2</td></tr></table>",
    "Item Price\nTea 2",
  ],
  [
    "what is preformatted",
    "<pre>a  b\n  <b>c</b> d\n\ne</pre>f",
    "a  b\n  c d\n\ne\n\nf",
  ],
  [
    "long lines",
    `<ul><li>${"word ".repeat(20)}</ul>`,
    ` *${" word".repeat(15)}\n  ${" word".repeat(5)}`,
  ],
  [
    "line ends, of which one is none",
    "a\n b<br>c<br><br>d<br></p><hr>e",
    `a b\nc\n\nd\n\n${"-".repeat(40)}\ne`,
  ],
  [
    "links that lead nowhere, or are their address",
    '<a href="#top">up</a> <a href="javascript:x()">x</a> <a href="mailto:a@b.example">a@b.example</a> <a>none</a>',
    "up x a@b.example none",
  ],
  ["words with tags inside", "<b>un</b>believ&#97;<i>ble</i>", "unbelievable"],
  ["lone surrogates", "a\ud800", "a\ufffd"],
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

test("indents no more than eight lists and quotes", async () => {
  const text = await textOfHtml(`${"<blockquote>".repeat(100)}a`);
  assert.equal(text, `${"> ".repeat(8)}a`);
});

test("cuts off what is longer than the text of a mail", async () => {
  const text = await textOfHtml(`<p>${"ěšč ".repeat(100_000)}`);
  const bytes = Buffer.byteLength(text);
  assert.ok(bytes <= 262_144 && bytes > 260_000, `${bytes} bytes`);
  assert.match(
    text,
    /ěšč\n\nThe rest can be read in a program that shows HTML\.$/,
  );
});

test("cuts off what is nested too deep", async () => {
  const text = await textOfHtml(`<p>a</p>${"<div>".repeat(257)}b`);
  assert.match(text, /^a\n\nThe rest can be read/);
});

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
  ["paragraphs", "<p>x</p>".repeat(125_000)],
  [
    "lists with long numbers around much text",
    `${'<ol start="9999999999999999"><li>'.repeat(127)}${"x ".repeat(520_000)}`,
  ],
  ["quotes", `${"<blockquote>".repeat(250)}${"x ".repeat(500_000)}`],
  [
    "a long word above many rows",
    `<table><tr><td>${"x".repeat(400_000)}${"<tr><td>a".repeat(60_000)}`,
  ],
  ["line ends", "<br>".repeat(250_000)],
  ["preformatted line ends", `<pre>${"\n".repeat(1_000_000)}x`],
  ["angle brackets", "<".repeat(1_000_000)],
] as const) {
  test(`HTML that is ${what} holds up nobody, and makes no long text`, async () => {
    const text = await textOfHtml(html);
    assert.notEqual(text, "");
    assert.ok(Buffer.byteLength(text) <= 262_144);
    // A tenth of its length: ten times as much is in proportion.
    const usual = "<p>x</p>".repeat(12_500);
    await assertCost(() => textOfHtml(html), {
      atMost: 100,
      timesThatOf: () => textOfHtml(usual),
    });
  });
}

test("others have their turns while long HTML is read", async () => {
  let turns = 0;
  let isDone = false;
  const watch = () => {
    turns++;
    if (!isDone) setImmediate(watch);
  };
  const converted = textOfHtml("x".repeat(1_000_000));
  setImmediate(watch);
  await converted;
  isDone = true;
  assert.ok(turns >= 50, `${turns} turns`);
});
