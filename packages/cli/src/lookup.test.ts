import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandFailure } from "./command-failure.ts";
import { chooseOne, type Naming } from "./lookup.ts";

interface User {
  readonly id: string;
  readonly name: string;
}

const ann = { id: "0198c2f4a1b20001", name: "ann" };
const bob = { id: "0198c2f4a1b20002", name: "bob" };
const eve = { id: "77777777a1b20003", name: "0198c2f4" };
const users = [ann, bob, eve];

const naming: Naming<User> = {
  noun: "user",
  idOf: ({ id }) => id,
  nameOf: ({ name }) => name,
};

test("finds by id, name, or the start of the id", () => {
  assert.equal(chooseOne(users, naming, ann.id), ann);
  assert.equal(chooseOne(users, naming, "bob"), bob);
  assert.equal(chooseOne(users, naming, "77777777"), eve);
  // A name goes over the start of other ids.
  assert.equal(chooseOne(users, naming, "0198c2f4"), eve);
});

test("a start of fewer than eight characters is none", () => {
  assert.throws(
    () => chooseOne(users, naming, "7777777"),
    failure('"7777777" is too short for a user\'s id: give 8 characters'),
  );
});

test("names the candidates of what may be several", () => {
  assert.throws(
    () => chooseOne(users, naming, "0198c2f4a"),
    failure(
      `2 users have ids that begin 0198c2f4a: give the id of one, of ${ann.id} (ann), ${bob.id} (bob).`,
    ),
  );
  const six = Array.from({ length: 6 }, (_, at) => ({
    id: `id-${at}`,
    name: "ann",
  }));
  assert.throws(
    () => chooseOne(six, naming, "ann"),
    failure('6 users are called "ann": give the id of one, of id-0 (ann), '),
  );
  assert.throws(() => chooseOne(six, naming, "ann"), failure("id-4 (ann), …"));
});

function failure(text: string) {
  return (error: unknown) => {
    assert.ok(error instanceof CommandFailure);
    assert.equal(error.exitCode, 1);
    assert.ok(error.message.includes(text), error.message);
    return true;
  };
}
