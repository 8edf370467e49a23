import assert from "node:assert/strict";
import { test } from "node:test";
import {
  checkTemplateContext,
  type TemplateRenderOptions,
  toEpochMs,
} from "@carillon/core";
import { assertCost } from "@carillon/testing";
import { createLiquidEngine } from "./liquid-engine.ts";

const now = toEpochMs(Date.UTC(2026, 1, 3, 4, 5, 6));
const engine = createLiquidEngine({ now: () => now });

const plain: TemplateRenderOptions = {
  isStrict: false,
  escaping: "none",
  maxLength: 10_000,
};

async function render(
  source: string,
  context: unknown = {},
  options: Partial<TemplateRenderOptions> = {},
): Promise<string> {
  const checked = checkTemplateContext(context);
  const result = await engine.render(source, checked, { ...plain, ...options });
  if ("text" in result) return result.text;
  const { message, line, column } = result.problem;
  return `${line}:${column} ${message}`;
}

async function check(source: string): Promise<string | undefined> {
  const [problem] = await engine.check(source);
  return problem && `${problem.line}:${problem.column} ${problem.message}`;
}

test("texts are rendered", async () => {
  const context = {
    name: "A & B",
    items: [{ n: 1 }, { n: 2 }],
    price: 2.5,
    at: "2026-02-03T04:05:06Z",
  };
  // biome-ignore format: a table
  for (const [source, expected] of [
    ["Hi {{ name }}", "Hi A & B"],
    ["{{ name | upcase | append: '!' }}", "A & B!"],
    ["{% for i in items %}{{ forloop.index }}={{ i.n }};{% endfor %}", "1=1;2=2;"],
    ["{% if price > 2 and name contains 'B' %}y{% else %}n{% endif %}", "y"],
    ["{% unless missing %}none{% endunless %}", "none"],
    ["{% case price %}{% when 1 %}a{% when 2.5 %}b{% endcase %}", "b"],
    ["{% assign x = price | times: 2 %}{{ x }}", "5"],
    ["{% capture x %}[{{ name }}]{% endcapture %}{{ x }}{{ x }}", "[A & B][A & B]"],
    ["{% for i in (1..3) %}{{ i }}{% endfor %}{% for i in (3..1) %}x{% endfor %}", "123"],
    ["{% cycle 'a', 'b' %}{% cycle 'a', 'b' %}{% increment n %}", "ab0"],
    ["{% raw %}{{ x }}{% endraw %}{% comment %}{% nonsense %}{% endcomment %}{% # note %}", "{{ x }}"],
    ["a{{ missing }}{{ missing.deep.er }}b", "ab"],
    ["{{ missing | default: 'y' }}", "y"],
    ["{{ items }}", '{"n":1}{"n":2}'],
    ["{{ at | date: '%d.%m.%Y %H:%M %z' }}", "03.02.2026 04:05 +0000"],
    ["{{ at | date: '%H:%M %z', 'Europe/Prague' }}", "05:05 +0100"],
    ["{{ 'now' | date: '%Y-%m-%d %H:%M:%S' }}", "2026-02-03 04:05:06"],
    ["{{ at | date: '%A %B' }}", "Tuesday February"],
    ["{{ items | map: 'n' | join: '+' }} {{ items | where: 'n', 2 | size }}", "1+2 1"],
    ["{{ 'a,b' | split: ',' | last }}{{ 'aXbX' | replace: 'X', '-' }}", "ba-b-"],
    ["a \n{%- if name -%}\n b {%- endif %}", "ab"],
    ["{{ name | raw }}", "A & B"],
  ] as const) {
    assert.equal(await check(source), undefined, source);
    assert.equal(await render(source, context), expected, source);
  }
});

test("values are escaped for HTML, once", async () => {
  const context = { a: `<b> & "x" 'y'`, n: "a\n<b>", list: ["<", 1] };
  // biome-ignore format: a table
  for (const [source, expected] of [
    ["<i>{{ a }}</i>", "<i>&lt;b&gt; &amp; &#34;x&#34; &#39;y&#39;</i>"],
    ["{{ a | upcase }}", "&lt;B&gt; &amp; &#34;X&#34; &#39;Y&#39;"],
    ["{{ a | raw }}", `<b> & "x" 'y'`],
    ["{{ a | escape }}", "&lt;b&gt; &amp; &#34;x&#34; &#39;y&#39;"],
    ["{{ '&lt;&' | escape_once }}", "&lt;&amp;"],
    ["{{ n | newline_to_br }}", "a<br />\n&lt;b&gt;"],
    ["{{ list }}", "&lt;1"],
    ["{% echo a %}", "&lt;b&gt; &amp; &#34;x&#34; &#39;y&#39;"],
    ["{{ body }}", "<p>&amp;</p>"],
    ["{{ body }}{{ '<p>' }}", "<p>&amp;</p>&lt;p&gt;"],
  ] as const) {
    const options = { escaping: "html", safe: { body: "<p>&amp;</p>" } } as const;
    assert.equal(await render(source, context, options), expected, source);
  }
});

test("in strict mode what is missing is named", async () => {
  const context = { a: { b: 1 }, none: null };
  const strict = { isStrict: true };
  // biome-ignore format: a table
  for (const [source, expected] of [
    ["{{ a.b }}", "1"],
    ["{{ none }}", ""],
    ["\n {{ a.c }}", "2:5 The variable a.c is missing."],
    ["{{ name }}", "1:4 The variable name is missing."],
    ["{% if name %}x{% endif %}", ""],
    ["{{ name | default: 'y' }}", "y"],
    ["{% for i in list %}{% endfor %}", "1:13 The variable list is missing."],
  ] as const) {
    assert.equal(await render(source, context, strict), expected, source);
  }
});

test("a required variable is named in any mode", async () => {
  const context = { a: { b: "" }, c: 0 };
  for (const [source, expected] of [
    ["{{ c | required }}", "0"],
    ["{{ a.b | required }}", "1:1 The variable a.b is required."],
    ["x {{- name | upcase | required }}", "1:3 The variable name is required."],
    ["{% assign x = gone | required %}", "1:1 The variable gone is required."],
  ] as const) {
    assert.equal(await render(source, context), expected, source);
  }
});

test("no prototype is reached", async () => {
  const context = JSON.parse(
    '{"a":{"b":[1]},"text":"x","__proto__":{"y":2},"o":{"constructor":"c"}}',
  );
  for (const [source, expected] of [
    ["{{ constructor }}{{ toString }}{{ hasOwnProperty }}", ""],
    ["{{ a.constructor }}{{ a.b.constructor }}{{ text.constructor }}", ""],
    ["{{ a.__proto__ }}{{ a['__proto__'] }}{{ a.b.map }}{{ text.trim }}", ""],
    ["{{ __proto__.y }}{{ o.constructor }}{{ o.prototype }}", "2c"],
    ["{% assign __proto__ = a %}{{ x.b }}{{ __proto__.b }}", "1"],
    ["{% increment __proto__ %}{% increment constructor %}", "00"],
    ["{{ a.b.size }}{{ text.size }}{{ a.size }}", "111"],
    ["{{ a | map: 'constructor' }}{{ a.b | map: '__proto__' }}", ""],
  ] as const) {
    assert.equal(await render(source, context), expected, source);
  }
  assert.equal(({} as { y?: unknown }).y, undefined);
  assert.equal("b" in {}, false);
});

test("rendering leaves the context as it was", async () => {
  const context = checkTemplateContext({ n: 5, list: [2, 1] });
  const before = JSON.stringify(context);
  await engine.render(
    "{% increment n %}{% decrement m %}{% assign n = 7 %}{{ list | sort | reverse }}",
    context,
    plain,
  );
  assert.equal(JSON.stringify(context), before);
});

test("syntax errors have a place", async () => {
  // biome-ignore format: a table
  for (const [source, expected] of [
    ["a\nb {% include 'x' %}", "2:3 The tag include is not available in templates of messages."],
    ["{% render 'x' %}", "1:1 The tag render is not available in templates of messages."],
    ["{% layout 'x' %}", "1:1 The tag layout is not available in templates of messages."],
    ["{% block x %}{% endblock %}", "1:1 The tag block is not available in templates of messages."],
    ["ä {% nonsense %}", "1:3 There is no tag nonsense."],
    ["a\nb {# note #}", "2:3 {# … #} is no comment in Liquid and would be sent: {% comment %} … {% endcomment %} is one, and {% raw %} keeps it as it is."],
    ["{{ x | foo }}", "1:1 There is no filter foo."],
    ["{{ x | where_exp: 'i', 'i' }}", "1:1 There is no filter where_exp."],
    ["{{ x | push: 1 }}", "1:1 There is no filter push."],
    ["a {% if x %}", "1:3 The tag {% if x %} is not closed."],
    ["{% endif %}", "1:1 The tag endif closes nothing."],
    ["{% if a %}{% endfor %}", "1:11 The tag endfor stands where endif is expected."],
    ["{% else %}", "1:1 The tag else stands outside of its block."],
    ["{% for x y %}{% endfor %}", "1:1 The tag {% for x y %} cannot be read."],
    ["a {{ b", '1:3 The output "{{ b" is not closed.'],
    ["{% if a %}".repeat(51), "1:501 Tags are nested at most 50 deep."],
    [`{{ ${"a".repeat(4000)} }}`, "1:1 A tag has at most 4000 characters, this one has 4006."],
    ["x".repeat(65_537), "1:1 A template has at most 65536 characters, this one has 65537."],
  ] as const) {
    assert.equal(await check(source), expected);
    assert.equal(await render(source), expected);
  }
  const [problem] = await engine.check("a\r\nb {% x %} c\r\nd");
  assert.equal(problem?.text, "b {% x %} c");
});

test("slugs are Django's where they are asked for so", async () => {
  for (const [text, expected] of [
    ["Žluťoučký kůň", "zlutoucky-kun"],
    ["  Příliš -- _žluťoučký_ kůň! ", "prilis-_zlutoucky_-kun"],
    ["__a.b__", "ab"],
    ["Привет", ""],
  ] as const) {
    assert.equal(
      await render("{{ s | slugify: 'django' }}", { s: text }),
      expected,
    );
  }
  assert.equal(await render("{{ s | slugify }}", { s: "A b" }), "a-b");
});

test("braces that are no comment of Django's are kept", async () => {
  for (const source of [
    "a {#1} b",
    "{% raw %}{# note #}{% endraw %}",
    "a {# b\n c #}",
  ]) {
    assert.equal(await render(source), source.replace(/{% (end)?raw %}/g, ""));
  }
  assert.equal(await render("a{% comment %}{# b #}{% endcomment %}"), "a");
});

test("what becomes too long is a problem", async () => {
  const options = { maxLength: 10 };
  assert.equal(
    await render("{{ a }}", { a: "0123456789" }, options),
    "0123456789",
  );
  assert.equal(
    await render("{{ a }}x", { a: "0123456789" }, options),
    "1:8 The text becomes longer than 10 characters.",
  );
});

/** As many as fit into 64 KB. */
function many(text: string): string {
  return text.repeat(Math.floor(65_000 / text.length));
}

const long = "a".repeat(120_000);
const hostileContext = {
  s: long,
  t: `${long.slice(1)}b`,
  l: Array.from({ length: 9000 }, (_, n) => n),
  a: { b: [1, 2, 3] },
};

const tooMuch = /^The template does too much/;
const rendered = /^$/;

// biome-ignore format: a table
const hostile: Readonly<Record<string, readonly [source: string, answer: RegExp]>> = {
  "a loop without end": ["{% for i in (1..1000000000) %}{% endfor %}", /^A range has/],
  "a range that cannot count on": ["{% for i in (9007199254740992..9007199254740994) %}{% endfor %}", /^A range needs/],
  "such a range by a filter": ["{{ l | where: '(9007199254740992..9007199254740994)', 1 }}", /^The name of a property/],
  "ranges of no numbers": ["{% assign x = 1 | divided_by: 0 %}{% for i in (x..5) %}{% endfor %}", /^A range needs/],
  "loops within loops": [`${"{% for i in (1..10000) %}".repeat(20)}x${"{% endfor %}".repeat(20)}`, tooMuch],
  "loops that do something": ["{% for i in (1..300) %}{% for j in l %}{{ j | plus: i }}{% endfor %}{% endfor %}", tooMuch],
  "empty loops": ["{% for i in l %}{% for j in l %}{% endfor %}{% endfor %}", tooMuch],
  "tables": ["{% tablerow i in l cols:1 %}{% tablerow j in l %}{% endtablerow %}{% endtablerow %}", tooMuch],
  "captures that double": [many("{% capture x %}{{ x }}{{ x }}aaaa{% endcapture %}"), /^A captured text becomes longer/],
  "texts that double": [`{% assign x = 'aaaa' %}${many("{% assign x = x | append: x %}")}`, tooMuch],
  "lists that double": [`{% assign x = l %}${many("{% assign x = x | concat: x %}")}`, tooMuch],
  "lists of lists": [`{% assign x = l %}${many("{% assign x = x | group_by: 'q' | concat: x | map: 'items' %}")}{{ x }}`, tooMuch],
  "a long text in pieces": ["{{ s | split: '' | join: ',' | split: ',' | sort | uniq | reverse | join: '' }}", tooMuch],
  "sorting again and again": [many("{{ l | sort_natural | size }}"), tooMuch],
  "selecting again and again": [many("{{ l | where: 'a', 1 | size }}"), tooMuch],
  "a long search": ["{% assign p = s | slice: 0, 60000 | append: 'b' %}{{ s | replace_last: p, 'x' }}", tooMuch],
  "a long comparison": ["{% assign q = s | slice: 0, 60000 %}{% assign p = 'b' | append: q %}{% if s contains p %}{% endif %}", tooMuch],
  "many searches": [many("{% if s contains 'b' %}{% endif %}"), tooMuch],
  "many comparisons": [many("{% if s == t or l == l %}{% endif %}"), tooMuch],
  "many cases": [`{% case s %}${many("{% when t, t, t, t, t, t, t %}x")}{% endcase %}`, tooMuch],
  "many cases of lists": [`{% case l %}${many("{% when l, l, l, l, l, l, l %}x")}{% endcase %}`, tooMuch],
  "more and more text": [many("{{ s }}"), /^The text becomes longer/],
  "greater and greater numbers": [`{% assign x = 10 %}${many("{% assign x = x | times: x %}")}`, rendered],
  "formats of dates": [many("{{ 1 | date: '%999999999N%c%c%c%c%Z' }}"), tooMuch],
  "a format of dates to go back in": [`{{ 1 | date: '%${"0".repeat(3000)}\n' }}`, /^A format of dates has/],
  "dates that are none": [many("{% assign x = s | date: '%Y' %}"), rendered],
  "brackets": [`{{ ${"a[".repeat(1200)}b${"]".repeat(1200)} }}`, rendered],
  "chains of filters": [many(`{{ 'now' ${"| date: '%Z' ".repeat(250)} }}`), rendered],
  "long texts anew": [many("{% assign x = s | upcase %}"), tooMuch],
  "slugs": [many("{% assign x = s | slugify: 'latin' %}"), tooMuch],
  "slugs of Django's": [many("{% assign x = s | slugify: 'django' %}"), tooMuch],
  "slugs of dashes": ["{% assign x = s | replace: 'a', '_' | append: 'b' | slugify: 'django' %}", rendered],
  "openings of comments": [many("{#"), rendered],
  "JSON": [many("{{ l | json: 10 | size }}"), tooMuch],
  "words": [many("{{ s | truncatewords: 3 | number_of_words: 'auto' }}"), tooMuch],
  "hashes": [many("{{ s | sha256 }}"), tooMuch],
  "outputs": [many("{{a}}"), rendered],
  "trimmed outputs": [many("{{- a -}} "), rendered],
  "blanks to trim": [`${" ".repeat(60_000)}{{- a -}}${" ".repeat(4000)}`, rendered],
  "braces": [many("{"), /not closed/],
  "braces of tags": [many("{%"), /not closed/],
  "quotes": [many("{{ 'a"), /not closed/],
  "raw within raw": [many("{% raw %}"), /not closed/],
  "raw after raw": [many("{% raw %}{% endraw %}"), rendered],
  "comments": [many("{% comment %}"), /not closed/],
  "conditions": [many(`{% if a == b${" and a == b".repeat(300)} %}{% endif %}`), rendered],
  "sizes": [many("{{ a.size }}{{ l.size }}"), rendered],
  "a megabyte": ["x".repeat(1_000_000), /^A template has at most/],
};

/** A tenth of what one rendering may cost. */
const plainLoop = "{% for i in (1..2000) %}{{ i }} {% endfor %}";

for (const [what, [source, answer]] of Object.entries(hostile)) {
  test(`${what} does not hold up the process`, async () => {
    const context = checkTemplateContext(hostileContext);
    // By the count alone, and anew each time: a second engine compiles again.
    const renderAnew = async (source: string) => {
      const fresh = createLiquidEngine({ now: () => now }, () => 0);
      const results: string[] = [];
      for (const escaping of ["none", "html"] as const) {
        const options = { ...plain, escaping, maxLength: 1_000_000 };
        const result = await fresh.render(source, context, options);
        results.push("text" in result ? "" : result.problem.message);
      }
      return results;
    };
    for (const result of await renderAnew(source)) assert.match(result, answer);
    await assertCost(() => renderAnew(source), {
      atMost: 60,
      timesThatOf: () => renderAnew(plainLoop),
    });
  });
}

test("what the count takes for cheap ends by the time of the processor", async () => {
  let cpuMs = 0;
  const slow = createLiquidEngine(undefined, () => cpuMs++);
  const renderSlowly = async (nodes: number) => {
    const result = await slow.render("{{ a }}".repeat(nodes), {}, plain);
    return "text" in result ? "rendered" : result.problem.message;
  };
  assert.equal(await renderSlowly(1000), "rendered");
  assert.match(await renderSlowly(2000), tooMuch);
});

test("too much is told from what is wrong", async () => {
  assert.equal(
    await render(
      "{% for i in (1..10000) %}{% for j in (1..10000) %}{{ j }}{% endfor %}{% endfor %}",
      {},
      { maxLength: 1e9 },
    ),
    "1:26 The template does too much: fewer or smaller loops, texts and lists are needed.",
  );
  assert.equal(
    await render("{% for i in (1..10001) %}{% endfor %}"),
    "1:1 A range has at most 10000 numbers.",
  );
});

test("a table of a thousand rows is no trouble", async () => {
  const rows = Array.from({ length: 1000 }, (_, n) => ({
    n,
    name: `n${n}`,
    price: n / 4,
  }));
  const html = await render(
    "<table>{% for r in rows %}<tr><td>{{ r.n }}</td><td>{{ r.name | upcase }}</td><td>{{ r.price | round: 2 }}</td></tr>{% endfor %}</table>",
    { rows },
    { escaping: "html", maxLength: 1_000_000 },
  );
  assert.equal(html.match(/<tr>/g)?.length, 1000);
  assert.match(html, /<td>999<\/td><td>N999<\/td><td>249.75<\/td>/);
});
