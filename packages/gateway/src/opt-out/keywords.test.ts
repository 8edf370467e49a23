import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createKeywordFinder,
  foldKeyword,
  KEYWORD_LANGUAGES,
  type KeywordLanguage,
} from "./keywords.ts";

const CASES: readonly (readonly [
  text: string,
  family: string | undefined,
  number?: string,
])[] = [
  ["STOP", "stop"],
  [" stop. ", "stop"],
  ["“Stop!”", "stop"],
  ["Unsubscribe", "stop"],
  ["Opt-out", "stop"],
  ["START", "start"],
  ["unstop", "start"],
  ["help?", "help"],
  ["INFO", "help"],
  ["Arrêt", "stop"],
  ["ARRET", "stop"],
  ["TD", "stop"],
  ["zrušit", "stop", "420777123456"],
  ["Hjælp", "help", "4520123456"],
  ["HJAELP", "help", "4520123456"],
  ["Hjälp", "help", "46701234567"],
  ["СТОП", "stop", "79161234567"],
  ["помощь", "help", "79161234567"],
  ["ABMELDEN", "stop", "4915112345678"],
  ["Kündigen", "stop", "4915112345678"],
  ["KUENDIGEN", "stop", "4915112345678"],
  ["kundigen", "stop", "4915112345678"],
  ["abmelden", "stop", "41791234567"],
  ["Aide", "help", "41791234567"],
  ["meld på", "start", "4740612345"],
  ["Baja", "stop", "34612345678"],
  ["Ｓｔｏｐ", "stop"],
  ["iptal", "stop", "905321234567"],
  ["İptal", "stop", "905321234567"],
  ["STOP", "stop", "8613812345678"],
  ["RED", undefined, "447700900123"],
  ["ALTO", undefined, "447700900123"],
  ["DUR", undefined, "12125550100"],
  ["Peru", undefined, "12125550100"],
  ["ALTA", undefined, "447700900123"],
  ["ALTO", undefined, "351912345678"],
  ["RED", undefined],
  ["KONIEC", undefined, "420777123456"],
  ["please stop", undefined],
  ["don't stop me now", undefined],
  ["stopwatch", undefined],
  ["", undefined],
  ["!", undefined],
  [`${"stop ".repeat(50)}`, undefined],
];

const find = createKeywordFinder();
for (const [text, family, number] of CASES) {
  const from = number ?? "an unknown country";
  test(`${JSON.stringify(text.slice(0, 20))} from ${from} is ${family ?? "no keyword"}`, () => {
    assert.equal(find(text, number)?.family, family);
  });
}

test("some words mean all senders", () => {
  assert.equal(find("STOP ALL")?.everywhere, true);
  assert.equal(find("stopall")?.everywhere, true);
  assert.equal(find("stop")?.everywhere, false);
});

test("languages can be chosen for all numbers; English is always there", () => {
  const french = createKeywordFinder({ languages: ["fr"] });
  assert.equal(french("AIDE", "447700900123")?.family, "help");
  assert.equal(french("STOP")?.family, "stop");
  assert.equal(french("ABMELDEN", "4915112345678"), undefined);
});

test("a language without keywords is a mistake in the set-up", () => {
  const languages = ["xx"] as unknown as readonly KeywordLanguage[];
  assert.throws(() => createKeywordFinder({ languages }), {
    name: "ConfigurationError",
    message: /language "xx"; there are en, cs/,
  });
});

test("each language but English belongs to a country", () => {
  const numbers = [
    "420",
    "45",
    "49",
    "34",
    "358",
    "33",
    "39",
    "31",
    "47",
    "48",
  ];
  numbers.push("351", "7", "421", "46", "90");
  const found = new Set(
    numbers.map((n) =>
      ["POMOC", "HJAELP", "HILFE", "AYUDA", "APUA", "AIDE", "AIUTO", "HULP"]
        .concat("HJELP", "AJUDA", "ПОМОЩЬ", "HJALP", "YARDIM")
        .map((word) => (find(word, `${n}600123456`) ? word : ""))
        .join(),
    ),
  );
  // Czech, Polish and Slovak have the same word for help.
  assert.equal(found.size, 13);
  assert.equal(find("ZAPISZ", "48600123456")?.family, "start");
  assert.equal(find("ZRUŠIŤ VŠETKO", "421600123456")?.everywhere, true);
});

test("an application can add its own words", () => {
  const own = createKeywordFinder({
    extra: { stop: ["no more"], stopAll: ["never again"] },
  });
  assert.equal(own("No more!")?.family, "stop");
  assert.deepEqual(own("NEVER AGAIN"), {
    family: "stop",
    everywhere: true,
    word: "NEVERAGAIN",
  });
});

test("every word of the sets is found by its own spelling", () => {
  assert.equal(KEYWORD_LANGUAGES.length, 16);
  assert.equal(foldKeyword("Dés-inscrire "), "DESINSCRIRE");
});
