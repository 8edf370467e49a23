import assert from "node:assert/strict";
import { test } from "node:test";
import { defineTestProtocol } from "@carillon/testing";
import { createLaneOf } from "../engine/lanes.ts";
import { createProtocols } from "./protocol.ts";

test("a name is one word, and there once", () => {
  for (const name of ["", "default", "Http", "a b", "x".repeat(33)]) {
    assert.throws(() => createProtocols([defineTestProtocol(name)]), {
      name: "RangeError",
      message: /is no name of a protocol/,
    });
  }
  const twice = [defineTestProtocol("http"), defineTestProtocol("http")];
  assert.throws(() => createProtocols(twice), /Two channels bring .* http\./);
});

test("of a protocol that is gone nothing of an endpoint is shown", () => {
  const protocols = createProtocols([]);
  assert.equal(protocols.maskEndpoint("http", "http://a.test"), "***");
  assert.equal(protocols.maskSecrets("http", "http://a.test"), "***");
});

test("endpoints that share a credential share a lane", () => {
  const laneOf = createLaneOf(
    createProtocols([
      defineTestProtocol("chat", { laneOf: (it) => it.split("/")[0] ?? "" }),
      defineTestProtocol("http"),
    ]),
  );
  const lanes = [
    ["chat", "bot/1"],
    ["chat", "bot/2"],
    ["http", "bot"],
  ].map(([protocol = "", endpoint = ""]) =>
    laneOf({ target: 1, protocol, endpoint }),
  );
  assert.deepEqual(lanes, ["chat bot", "chat bot", "bot"]);
});
