import assert from "node:assert/strict";
import { test } from "node:test";
import { problemWithOrigins } from "./allowed-origins.ts";
import { loadConfig } from "./config.ts";

for (const origins of [
  [],
  ["*"],
  ["https://app.example.com"],
  ["http://127.0.0.1:5173", "https://[::1]:8443"],
]) {
  test(`${JSON.stringify(origins)} are origins`, () => {
    assert.equal(problemWithOrigins(origins), undefined);
  });
}

for (const [text, problem] of [
  ["app.example.com", /does not begin with http/],
  ["ftp://app.example.com", /does not begin with http/],
  ["null", /does not begin with http/],
  ["https://app.example.com/", /browsers send https:\/\/app\.example\.com$/],
  [
    "https://app.example.com/path?x",
    /browsers send https:\/\/app\.example\.com$/,
  ],
  ["https://app.example.com:443", /browsers send https:\/\/app\.example\.com$/],
  ["https://App.Example.com", /browsers send https:\/\/app\.example\.com$/],
  ["https://user@app.example.com", /it has a user name$/],
  ["https://*.example.com", /a \* stands alone/],
  ["https://", /it is no URL$/],
] as const) {
  test(`${text} is no origin`, () => {
    const given = ["https://fine.example.com", text];
    assert.match(problemWithOrigins(given) ?? "", problem);
    assert.throws(
      () => loadConfig({ env: { CARILLON_ALLOWED_ORIGINS: given.join(",") } }),
      {
        message: new RegExp(
          `CARILLON_ALLOWED_ORIGINS.*${problem.source.replace(/\$$/, "")}`,
        ),
      },
    );
  });
}
