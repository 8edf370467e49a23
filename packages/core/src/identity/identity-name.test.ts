import assert from "node:assert/strict";
import { test } from "node:test";
import { filterNamed, findNamed, isSameIdentityName } from "./identity-name.ts";

test("names are the same whatever the case of their ASCII letters", () => {
  assert.ok(isSameIdentityName("Default", "dEFAULT"));
  assert.ok(isSameIdentityName("eu-de_Shop", "EU-DE_shop"));
  assert.ok(isSameIdentityName("Übung", "Übung"));
  for (const [one, other] of [
    ["a", "b"],
    ["a", "a "],
    ["Übung", "übung"],
    // The Kelvin sign, whose lower case is a plain k.
    ["\u212a", "k"],
    ["@", "`"],
  ] as const) {
    assert.ok(!isSameIdentityName(one, other), one);
  }
});

test("a name stands for the record of exactly that name before others", () => {
  const records = ["Ann", "ann", "Bob", "ANN"].map((name) => ({ name }));
  const named = (name: string) =>
    filterNamed(records, name).map((record) => record.name);
  assert.deepEqual(named("ann"), ["ann"]);
  assert.deepEqual(named("aNN"), ["Ann", "ann", "ANN"]);
  assert.deepEqual(named("bOB"), ["Bob"]);
  assert.deepEqual(named("eve"), []);
  assert.equal(findNamed(records, "ann"), records[1]);
  assert.equal(findNamed(records, "bob"), records[2]);
  assert.equal(findNamed(records, "aNN"), undefined);
});

test("a name stands for records of each domain", () => {
  const records = [
    { name: "Ann", domainId: "d1" },
    { name: "ann", domainId: "d1" },
    { name: "Ann", domainId: "d2" },
  ];
  assert.deepEqual(filterNamed(records, "ann"), records.slice(1));
  assert.equal(findNamed(records, "ann"), undefined);
});
