import assert from "node:assert/strict";
import { test } from "node:test";
import { members, parameters, withOptionNames } from "./option-names.ts";
import { createProgram } from "./program.ts";

test("the server's members are named as options", () => {
  for (const [sentence, expected] of [
    ["rotate with overlapSeconds 0, which", "rotate with --overlap 0, which"],
    ["Invalid notBefore: it may be", "Invalid --at: it may be"],
    [
      "It is bad: tag must not have more",
      "It is bad: --tag must not have more",
    ],
    ["Invalid tag: at most", "Invalid --tag: at most"],
    ["Invalid backend: there is", "Invalid --backend: there is"],
    ["Invalid recipient: the tag", "Invalid recipient: the tag"],
    ["Invalid sms.sender: a name", "Invalid --sender: a name"],
    ["Invalid sms.params: To may", "Invalid --param: To may"],
    ["Invalid sms: none", "Invalid sms: none"],
    ["Last-Event-ID is not as expected", "--after is not as expected"],
    ["events is not as expected: x", "--events is not as expected: x"],
    ["protocol must be one of a, b", "--protocol must be one of a, b"],
    ["There are no events: protocol", "There are no events: protocol"],
    ["There is no topic constructor.", "There is no topic constructor."],
    ["The Idempotency-Key-Store", "The Idempotency-Key-Store"],
  ] as const) {
    assert.equal(withOptionNames(sentence), expected);
  }
});

test("each of the names is an option that there is", async () => {
  const options = new Set<string | undefined>();
  const collect = (command: Awaited<ReturnType<typeof createProgram>>) => {
    for (const { long } of command.options) options.add(long);
    command.commands.forEach(collect);
  };
  collect(await createProgram("all"));
  for (const name of [...members.values(), ...parameters.values()]) {
    assert.ok(options.has(name), name);
  }
});
