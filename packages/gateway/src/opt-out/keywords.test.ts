import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createKeywordFinder,
  foldKeyword,
  KEYWORD_LANGUAGES,
} from "./keywords.ts";

const CASES: readonly (readonly [text: string, family: string | undefined])[] =
  [
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
    ["zrušit", "stop"],
    ["Hjælp", "help"],
    ["СТОП", "stop"],
    ["помощь", "help"],
    ["ABMELDEN", "stop"],
    ["Baja", "stop"],
    ["Ｓｔｏｐ", "stop"],
    ["iptal", "stop"],
    ["please stop", undefined],
    ["don't stop me now", undefined],
    ["stopwatch", undefined],
    ["", undefined],
    ["!", undefined],
    [`${"stop ".repeat(50)}`, undefined],
  ];

const find = createKeywordFinder();
for (const [text, family] of CASES) {
  test(`${JSON.stringify(text.slice(0, 20))} is ${family ?? "no keyword"}`, () => {
    assert.equal(find(text)?.family, family);
  });
}

test("some words mean all senders", () => {
  assert.equal(find("STOP ALL")?.everywhere, true);
  assert.equal(find("stopall")?.everywhere, true);
  assert.equal(find("stop")?.everywhere, false);
});

test("languages can be chosen; English is always there", () => {
  const french = createKeywordFinder({ languages: ["fr"] });
  assert.equal(french("ARRET")?.family, "stop");
  assert.equal(french("STOP")?.family, "stop");
  assert.equal(french("ABMELDEN"), undefined);
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
