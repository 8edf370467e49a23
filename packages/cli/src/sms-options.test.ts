import assert from "node:assert/strict";
import { test } from "node:test";
import { Command } from "commander";
import { addMessageOptions, settingsOf } from "./message-options.ts";

function parse(...args: string[]) {
  const command = addMessageOptions(new Command()).exitOverride();
  command.configureOutput({ writeErr: () => {} });
  command.parse(args, { from: "user" });
  return settingsOf(command.opts());
}

test("what is said of texts stands in one object, and nothing in none", () => {
  const said = parse(
    ...["--sender", "ACME", "--provider", "twilio", "--validity", "30"],
    ...["--option", "escalate=true", "--option", "allowReply=false"],
    ...["--param", "campaign=spring", "--param", "a=b=c"],
  );
  assert.deepEqual(said.sms, {
    sender: "ACME",
    provider: "twilio",
    validityMinutes: 30,
    escalate: true,
    allowReply: false,
    params: { campaign: "spring", a: "b=c" },
  });
  assert.equal(parse("--class", "otp").sms, undefined);
});

test("what cannot be is refused before anything is asked of a server", () => {
  for (const [args, problem] of [
    [["--validity", "0"], /from 1 to 10080/],
    [["--validity", "5min"], /from 1 to 10080/],
    [["--option", "escalate"], /with true or false/],
    [["--option", "escalate=yes"], /with true or false/],
    [["--option", "flash=true"], /One of allowReply, escalate/],
    [["--param", "campaign"], /A name and a value/],
    [["--param", "=spring"], /A name and a value/],
    [["--param", "__proto__=x"], /A name and a value/],
    [["--at", "2h"], /An instant/],
    [["--delay", "2026-01-31T08:30:00Z"], /A time ahead/],
    [["--at", "2026-01-31T08:30:00Z", "--delay", "2h"], /cannot be used with/],
  ] as const) {
    assert.throws(() => parse(...args), problem, args.join(" "));
  }
});

test("--at and --delay say when", () => {
  const at = parse("--at", "2026-01-31T08:30:00Z").notBefore;
  assert.deepEqual(at, new Date("2026-01-31T08:30:00Z"));
  const before = Date.now() + 7_200_000;
  const later = parse("--delay", "2h").notBefore;
  assert.ok(later instanceof Date && later.getTime() >= before);
});
