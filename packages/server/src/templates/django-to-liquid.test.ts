import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { checkTemplateContext } from "@carillon/core";
import fc from "fast-check";
import { djangoFilters } from "./django-filters.ts";
import { djangoTags } from "./django-tags.ts";
import { djangoToLiquid } from "./django-to-liquid.ts";
import { createLiquidEngine } from "./liquid-engine.ts";

const engine = createLiquidEngine();

async function render(source: string, context: unknown): Promise<string> {
  const result = await engine.render(source, checkTemplateContext(context), {
    isStrict: false,
    escaping: "none",
    maxLength: 10_000,
  });
  return "text" in result ? result.text : result.problem.message;
}

const context = {
  a: { b: 1 },
  name: "Ann Lee",
  nothing: "",
  none: null,
  list: ["x", "y", "z"],
  rows: [{ n: 2 }, { n: 1 }],
  dict: { k: "v" },
  at: "2026-02-03T04:05:06Z",
  price: 2.5,
  html: "<b>",
};

test("what was translated renders as Django would", async () => {
  // biome-ignore format: a table
  for (const [django, expected] of [
    ["Hi {{ name }} {{a.b}} {{ list.0 }}", "Hi Ann Lee 1 x"],
    ['{{ missing|default:"y | z" }}', "y | z"],
    ["{{ name|upper|truncatechars:4 }}", "ANN…"],
    ["{{ list|join:', ' }} {{ list|length }} {{ list|first }}", "x, y, z 3 x"],
    ["{{ name|cut:' ' }}{{ a.b|add:1 }}{{ a.b|add:'2' }}", "AnnLee23"],
    ['{{ name|add:" Kč" }}{{ name|add:"" }}', "Ann Lee KčAnn Lee"],
    ['{{ at|date:"d.m.Y H:i" }}', "03.02.2026 04:05"],
    ['{{ at|date:"j. F Y \\a\\t G:i" }}', "3. February 2026 at 4:05"],
    ['{{ at|date:"SHORT_DATE_FORMAT" }}{{ at|time:"H:i" }}', "02/03/202604:05"],
    ["{{ name|slice:':3' }}{{ name|slice:3 }}{{ name|slice:'2' }}", "AnnAnnAn"],
    ["{{ name|slice:'4:' }}{{ name|slice:'1:3' }}{{ name|slice:':' }}", "LeennAnn Lee"],
    ["{% for v in dict.values %}{{ v }}{% endfor %}{% for k in dict.keys %}{{ k }}{% endfor %}", "vk"],
    ["{% for p in dict.items %}{{ p.0 }}={{ p.1 }}{% endfor %}", "k=v"],
    ["{% for v in dict.values reversed %}{{ v }}{% empty %}-{% endfor %}", "v"],
    ['{% trans "x" as t %}[{{ t }}]{% trans name as u %}{{ u }}', "[x]Ann Lee"],
    ['{% trans "x" noop %}{% trans "May" context "month" %}', "xMay"],
    ['{% now "Y" as y %}{% if y %}y{% endif %}', "y"],
    ["{% firstof nothing name as c %}[{{ c }}]", "[Ann Lee]"],
    ["{% blocktrans count n=list|length %}one{% plural %}{{ n }} of them{% endblocktrans %}", "3 of them"],
    ["{% blocktrans with x=name count n=a.b trimmed %}{{ x }}{% plural %}many{% endblocktrans %}", "Ann Lee"],
    ["{{ html|safe|upper }}", "<B>"],
    ['{{ at|date:"T \\T e" }}', "UTC T UTC"],
    ["{{ price|floatformat:'-1' }}", "2.5"],
    ["{% if name %}y{% else %}n{% endif %}", "y"],
    ["{% if nothing %}y{% elif none %}z{% else %}n{% endif %}", "n"],
    ["{% if not nothing and not none %}y{% endif %}", "y"],
    ["{% if a.b == 1 and price > 2 or none %}y{% endif %}", "y"],
    ["{% if list|length > 2 %}y{% endif %}", "y"],
    ["{% if a.b == 2 %}x{% elif list|length >= 3 %}y{% endif %}", "y"],
    ["{% if 'x' in list %}y{% endif %}", "y"],
    ["{% if none is None and name is not None %}y{% endif %}", "y"],
    ["{% for x in list %}{{ forloop.counter }}{{ x }}{% if not forloop.last %},{% endif %}{% endfor %}", "1x,2y,3z"],
    ["{% for x in missing %}x{% empty %}none{% endfor %}", "none"],
    ["{% for x in list reversed %}{{ x }}{% endfor %}", "zyx"],
    ["{% for k, v in dict.items %}{{ k }}={{ v }}{% endfor %}", "k=v"],
    ["{% for r in rows|dictsort:'n' %}{{ r.n }}{% endfor %}", "12"],
    ["{% with x=a.b y='q' %}{{ x }}{{ y }}{% endwith %}", "1q"],
    ["{% with name|upper as x %}{{ x }}{% endwith %}", "ANN LEE"],
    ["a{# {{ note }} #}b{% comment %}{{ x }}{% if %}{% endcomment %}c", "abc"],
    ["{% verbatim %}{{ x|y }}{% endverbatim %}", "{{ x|y }}"],
    ["{% load i18n %}{% trans 'Hello' %} {% blocktrans with n=name %}you {{ n }}{% endblocktrans %}", "Hello you Ann Lee"],
    ["{% firstof nothing none name %}", "Ann Lee"],
    ["{% cycle 'a' 'b' %}{% cycle 'a' 'b' %}", "ab"],
    ["{{ name|safe }}{{ name|striptags|lower }}", "Ann Leeann lee"],
  ] as const) {
    const { source, problems } = djangoToLiquid(django);
    assert.equal(await render(source, context), expected, `${django} → ${source}`);
    const isMixed = django.includes(" and price > 2 or ");
    assert.equal(problems.length, isMixed ? 1 : 0, JSON.stringify(problems));
  }
});

test("what has no counterpart is listed with its line, and left out", async () => {
  const { source, problems } = djangoToLiquid(
    'a{% include "x" %}\n{{ n|pluralize }}\n\n{% url "home" %}{{ x|odd:1 }}{% nonsense %}',
  );
  assert.deepEqual(problems, [
    { line: 1, what: "the tag include: put the text in its place" },
    {
      line: 2,
      what: "the filter pluralize: use if, or give the word in the context",
    },
    { line: 4, what: "the tag url: give the URL in the context" },
    { line: 4, what: "the filter odd" },
    { line: 4, what: "the tag nonsense" },
  ]);
  assert.deepEqual(await engine.check(source), []);
});

test("what is not in the tables is listed, and what it is", async () => {
  for (const [django, ...expected] of [
    [
      "{% cycle 'a' 'b' as c %}",
      "the tag cycle with a name: repeat its values",
    ],
    ["{% cycle c %}", "the tag cycle with a name: repeat its values"],
    ["{% cycle a|upper b %}", "the tag cycle with filters"],
    ["{% firstof a b|upper %}", "the tag firstof with filters"],
    [
      "{{ a|add:b }}",
      "the filter add with a variable: plus of numbers, append of texts",
    ],
    ['{{ a|date:"W" }}', "the letter W of a date format"],
    [
      '{{ a|date:"t.L.I.o" }}',
      "the letter t of a date format",
      "the letter L of a date format",
      "the letter I of a date format",
      "the letter o of a date format",
    ],
    [
      '{{ a|date:"N" }}',
      "the letter N of a date format: months have three letters and no full stop",
    ],
    [
      "{{ a|date:format }}",
      "a date format that is a variable: write it out",
      "the filter date:format",
    ],
    ["{% now format %}", "a date format that is a variable: write it out"],
    [
      "{{ a|safe|linebreaksbr }}",
      "the filter safe before linebreaksbr: give the HTML as it is to be",
    ],
    ["{{ a|slice:'-3:' }}", "the filter slice:'-3:'"],
    ["{{ a|slice:'::2' }}", "the filter slice:'::2'"],
    ["{{ a|slice:n }}", "the filter slice:n"],
    ["{{ a|floatformat:n }}", "the filter floatformat:n"],
    ["{{ a|dictsort:0 }}", "the filter dictsort:0"],
    [
      "{{ forloop.parentloop.counter }}",
      "forloop.parentloop.counter: give its value in the context",
    ],
    ["{{ m.items }}", "m.items: give its value in the context"],
    [
      "{% if m.keys|length > 1 %}{% endif %}",
      "m.keys: give its value in the context",
    ],
    [
      "{% with n=m.count %}{% endwith %}",
      "m.count: give its value in the context",
    ],
    [
      "{{ a.get_state_display }}",
      "a.get_state_display: give its value in the context",
    ],
    ["{{ block.super }}", "block.super: give its value in the context"],
    [
      "{% blocktrans asvar t %}x{% endblocktrans %}",
      "blocktrans with asvar: use capture",
    ],
    [
      "{% blocktrans count n %}x{% endblocktrans %}",
      "blocktrans with count: use if",
    ],
    ["{% plural %}", "the tag plural: only within blocktrans count"],
    ["{% for x %}{% endfor %}", "the tag for with x"],
    [
      "{% for a, b in m.values %}{% endfor %}",
      "the tag for with a, b in m.values",
    ],
  ] as const) {
    const { problems } = djangoToLiquid(django);
    assert.deepEqual(
      problems.map(({ what }) => what),
      expected,
      django,
    );
  }
});

test("a required variable stays required", async () => {
  const { source } = djangoToLiquid("{% get_or_raise code %}");
  assert.equal(await render(source, {}), "The variable code is required.");
});

test("any text is translated, in time", () => {
  const part = fc.oneof(
    fc.constantFrom(
      "{{",
      "}}",
      "{%",
      "%}",
      "{#",
      "#}",
      "|",
      ":",
      '"',
      "'",
      "if",
      "for",
      "in",
      "with",
      "not",
      " ",
      "a",
    ),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
      const { source } = djangoToLiquid(parts.join(""));
      assert.equal(typeof source, "string");
    }),
  );
  for (const text of [
    "{{",
    "{%",
    "{% if a|b ",
    "{{ '",
    "{% for a, b in ",
    '"',
  ]) {
    djangoToLiquid(text.repeat(20_000));
  }
});

const guide = readFileSync(
  new URL("../../../../docs/guides/django-templates.md", import.meta.url),
  "utf8",
);

test("the guide has each tag and filter of the tables", () => {
  const lines = guide.split("\n").map((line) => line.replace(/ +/g, " "));
  const rows = lines.filter((line) => line.startsWith("| `"));
  const { length } = Object.keys(djangoFilters);
  assert.equal(rows.length, djangoTags.length + length);
  for (const { django, liquid, note = "" } of djangoTags) {
    assert.ok(lines.includes(guideRow(django, liquid, note)), django);
  }
  for (const [name, { liquid, note = "" }] of Object.entries(djangoFilters)) {
    assert.ok(lines.includes(guideRow(name, liquid, note)), name);
  }
});

/** Bars end cells, also within code. */
function guideRow(
  django: string,
  liquid: string | undefined,
  note: string,
): string {
  const code = (text: string) => `\`${text.replaceAll("|", "\\|")}\``;
  const counterpart =
    liquid === undefined ? "–" : liquid === "" ? "nothing" : code(liquid);
  return `| ${code(django)} | ${counterpart} | ${note} |`.replace(/ +/g, " ");
}

test("the tags of the table are translated as it says", async () => {
  for (const { django, liquid } of djangoTags) {
    if (liquid === undefined) {
      assert.equal(djangoToLiquid(django).problems.length, 1, django);
      continue;
    }
    if (/^\{% end|else|elif|empty/.test(django)) continue;
    assert.equal(djangoToLiquid(django).source, liquid, django);
    assert.deepEqual(djangoToLiquid(django).problems, []);
  }
});
