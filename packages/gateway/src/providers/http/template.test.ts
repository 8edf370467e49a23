import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTemplate, type TemplateValue } from "./template.ts";

const values: Readonly<Record<string, TemplateValue>> = {
  to: "491510000000",
  short: "2077",
  name: "Acme",
  wide: "Ž€",
  minutes: 0.5,
  yes: true,
  no: false,
  "settings.key": "k&y",
};

const render = (text: string) =>
  parseTemplate(text).render((name) => values[name]);

for (const [text, expected] of [
  ["plain", "plain"],
  ["", ""],
  ["{to}", "491510000000"],
  ["a{to}b{short}c", "a491510000000b2077c"],
  ["{{to}} {{{short}}}", "{to} {2077}"],
  ["{settings.key}", "k&y"],
  ["{to|plus}", "+491510000000"],
  ["{short|plus}", "2077"],
  ["{name|plus}", "Acme"],
  ["{to|integer}", 491510000000],
  ["{name|integer}", undefined],
  ["n={to|integer}", "n=491510000000"],
  ["{minutes|times:60}", 30],
  ["{yes|if:1}", "1"],
  ["{no|if:1}", undefined],
  ["{no|if:1|else:0}", "0"],
  ["{absent}", undefined],
  ["before {absent} after", undefined],
  ["{absent|else:}{to}", "491510000000"],
  ["{short|map:2077=a,b=c}", "a"],
  ["{name|map:2077=a}", undefined],
  ["{wide|hexUtf16}", "017D20AC"],
  ["{wide|base64}", "xb3igqw="],
  ["{settings.key|url}", "k%26y"],
  ["{settings.key|xml}", "k&#38;y"],
  ["{yes}", true],
  ["{yes|text}", "true"],
] as const) {
  test(`${JSON.stringify(text)} becomes ${JSON.stringify(expected)}`, () => {
    assert.equal(render(text), expected);
  });
}

for (const [text, problem] of [
  ["{to", "a brace stands alone"],
  ["to}", "a brace stands alone"],
  ["{}", '"" is no name'],
  ["{to|shout}", 'there is no filter "shout"'],
  ["{to|map}", 'the filter "map" needs a value'],
  ["{to|times:x}", '"times" needs a number above 0'],
  ["{__proto__}", "is no name"],
] as const) {
  test(`${JSON.stringify(text)} is refused`, () => {
    assert.throws(
      () => parseTemplate(text),
      (error) =>
        error instanceof SyntaxError && error.message.includes(problem),
    );
  });
}
