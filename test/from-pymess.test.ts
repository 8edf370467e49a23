/** The page on moving from pymess says what the code has. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { type DeliveryState, deliveryStates } from "@carillon/core";
import { providerTypes } from "@carillon/gateway";
import { pymessStateOf } from "../packages/core/src/stored/pymess-state.ts";
import { listConfigKeys } from "../packages/server/src/config-schema.ts";

const page = await readFile(
  new URL("../docs/guides/from-pymess.md", import.meta.url),
  "utf8",
);

/** Rows of the tables whose first column has this head, without ticks. */
function rowsOf(head: string): readonly (readonly string[])[] {
  const lines = page.split("\n");
  const rows: string[][] = [];
  for (const [at, line] of lines.entries()) {
    if (!line.startsWith(`| ${head} `)) continue;
    for (let n = at + 2; lines[n]?.startsWith("|"); n++) {
      const cells = (lines[n] ?? "").split("|").slice(1, -1);
      rows.push(cells.map((cell) => cell.trim().replaceAll("`", "")));
    }
  }
  return rows;
}

const family = (name: string) =>
  [
    ...["BACKENDS", "DEFAULT_SENDER_BACKEND_NAME", "BACKEND_ROUTER"],
    ...["TEMPLATE_MODEL", "BATCH_SENDING", "BATCH_SIZE"],
    ...["BATCH_MAX_NUMBER_OF_SEND_ATTEMPTS", "BATCH_MAX_SECONDS_TO_SEND"],
    "RETRY_SENDING",
  ].map((setting) => `${name}_${setting}`);

/** All settings of pymess 0.7. */
const pymessSettings = [
  ...family("SMS"),
  ...["SMS_USE_ACCENT", "SMS_DEFAULT_PHONE_CODE", "SMS_LOG_IDLE_MESSAGES"],
  ...["SMS_SET_ERROR_TO_IDLE_MESSAGES", "SMS_IDLE_MESSAGES_TIMEOUT_MINUTES"],
  ...family("EMAIL"),
  ...["BASE_TEMPLATE", "TEMPLATETAGS", "CONTENT_BLOCK", "CONTEXT_PROCESSORS"]
    .concat("EXTEND_BODY", "BANNED_TAGS")
    .map((setting) => `EMAIL_TEMPLATE_${setting}`),
  ...["EMAIL_SENDERS", "EMAIL_HTML_DATA_DIRECTORY"],
  ...["EMAIL_PULL_INFO_BATCH_SIZE", "EMAIL_PULL_INFO_DELAY_SECONDS"],
  ...["EMAIL_PULL_INFO_MAX_TIMEOUT_FROM_SENT_SECONDS", "EMAIL_STORAGE_PATH"],
  ...["DIALER_*", "PUSH_NOTIFICATION_*", "DEFAULT_MESSAGE_PRIORITY"],
];

test("each setting of pymess has our name, or a reason", () => {
  const rows = rowsOf("pymess").filter((cells) => cells.length === 4);
  assert.deepEqual(
    rows.map(([name]) => name).sort(),
    pymessSettings.toSorted(),
  );
  for (const [name, , ours, remarks] of rows) {
    assert.ok(ours !== "–" || remarks !== "", `${name} has no reason`);
  }
});

/** Of texts and mails: what pymess left to others, or did not do. */
const withoutCounterpart = [
  // It had no limits, rules of consent or incoming messages.
  /^sms\.(?:policyFile|inbound|optOut|maxSegments|guard\.)/,
  // Django's settings say how mails are sent.
  /^email\.(?:tls|connections|mailsPerSecond|maxAttachmentBytes|dkim\.)/,
  // It asked Mandrill.
  /^email\.(?:bounces\.|webhookSecret|mandrillKey|softBounce|reportDays)/,
  // Cron said it.
  /\.intervalSeconds$/,
];

test("each key of ours is that of a setting, or has none there", () => {
  const named = rowsOf("pymess")
    .map((cells) => cells.join(" "))
    .join("\n");
  const keys = listConfigKeys()
    .map(({ path }) => path)
    .filter((path) => /^(?:sms|email)\./.test(path));
  const isNamed = (path: string) =>
    new RegExp(`(?<![\\w.])${path.replaceAll(".", "\\.")}(?![\\w.])`).test(
      named,
    );
  const isOwn = (path: string) =>
    withoutCounterpart.some((pattern) => pattern.test(path));
  assert.deepEqual(
    keys.filter((path) => isNamed(path) === isOwn(path)),
    [],
  );
});

test("keys that the page names are keys of the configuration", () => {
  const keys = listConfigKeys().map(({ path }) => path);
  const named = page.match(
    /`(?:sms|email)\.[\w.]+`|`smtpUrl`|`storedProfile`/g,
  );
  assert.ok(named);
  const unknown = named
    .map((it) => it.replaceAll("`", ""))
    .filter((it) => !keys.includes(it));
  assert.deepEqual(unknown, []);
});

test("members of providers are those that their types have", () => {
  const rows = rowsOf("`type`");
  assert.equal(rows.length, 22);
  for (const [type, key, member = ""] of rows) {
    const schema = providerTypes.find((it) => it.type === type)?.schema;
    assert.ok(schema, type);
    assert.ok(member === "–" || member in schema, `${type}: ${key}`);
  }
});

/** How the page tells apart what has one name of ours. */
const facts: Readonly<Record<string, object>> = {
  "": {},
  "a report is expected": { receiptExpected: true },
  "none is": { receiptExpected: false },
  "the carrier said so": {
    receipts: [{ event: "expire" }],
    attempts: [{ at: 0, durationMs: 0 }],
  },
  "its own time was over": {},
};

test("states are as the page says", () => {
  const rows = rowsOf("here").filter((cells) => cells.length === 4);
  const shown = new Set(rows.map(([state]) => state));
  assert.deepEqual([...shown].sort(), deliveryStates.toSorted());
  for (const [state, when = "", sms, email] of rows) {
    assert.ok(when in facts, when);
    const delivery = {
      state: state as DeliveryState,
      attempts: [],
      ...facts[when],
    } as unknown as Parameters<typeof pymessStateOf>[1];
    for (const [channel, expected] of [
      ["sms", sms],
      ["email", email],
    ] as const) {
      const { name, number } = pymessStateOf(channel, delivery);
      assert.equal(`${name} ${number}`, expected, `${state} ${when}`);
    }
  }
});
