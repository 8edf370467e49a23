import assert from "node:assert/strict";
import { test } from "node:test";
import { toStorageError } from "./storage-error.ts";

test("damage found while the server runs asks for a backup", () => {
  const file = "/data/carillon.db";
  const messageOf = (errcode: number) =>
    toStorageError({ message: "why", errcode }, file).message;
  for (const damage of [11, 26, 267]) {
    assert.match(
      messageOf(damage),
      /the database is damaged: restore a backup/,
    );
  }
  assert.match(messageOf(13), /make room on the disk/);
  assert.match(messageOf(10), /see that the disk works/);
});
