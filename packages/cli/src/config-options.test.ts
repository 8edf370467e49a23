import assert from "node:assert/strict";
import { test } from "node:test";
import { listConfigKeys, loadConfig } from "@carillon/server";
import { Command } from "commander";
import { addConfigOptions } from "./config-options.ts";

const switches = listConfigKeys().flatMap(({ kind, flag, option, path }) =>
  kind === "boolean" && flag !== undefined ? [{ flag, option, path }] : [],
);

test("there are switches", () => {
  assert.ok(switches.length >= 3, String(switches.length));
});

for (const { flag, option, path } of switches) {
  const negative = flag.replace("--", "--no-");
  for (const [args, expected] of [
    [[], undefined],
    [[flag], true],
    [[flag, "--port", "0"], true],
    [[`${flag}=true`], true],
    [[`${flag}=on`], true],
    [[flag, "yes"], true],
    [[negative], false],
    [[`${flag}=false`], false],
    [[`${flag}=0`], false],
    [[flag, "no"], false],
    [[`${flag}=off`], false],
    [[flag, negative], false],
    [[negative, flag], true],
  ] as const) {
    test(`${args.join(" ") || `no ${flag}`} is ${expected}`, () => {
      const flags = flagsOf(args);
      if (expected === undefined) assert.ok(!(option in flags));
      // What the environment says is the other way round.
      else assert.equal(valueAt(flags, path, !expected), expected);
    });
  }
}

test("other words are mistakes that name the flag", () => {
  assert.throws(
    () => loadConfig({ flags: flagsOf(["--sandbox=maybe"]), env: {} }),
    /--sandbox: expected true or false, got "maybe"/,
  );
});

function flagsOf(args: readonly string[]): Record<string, unknown> {
  const command = addConfigOptions(new Command("serve")).exitOverride();
  command.parse([...args], { from: "user" });
  return command.opts();
}

function valueAt(
  flags: Record<string, unknown>,
  path: string,
  environment: boolean,
): unknown {
  const key = listConfigKeys().find((one) => one.path === path);
  const config: unknown = loadConfig({
    flags,
    env: { [key?.variable ?? ""]: environment ? "yes" : "off" },
  });
  return path
    .split(".")
    .reduce<unknown>(
      (value, part) => (value as Record<string, unknown> | undefined)?.[part],
      config,
    );
}
