import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoredMessage } from "@carillon/client";
import { storedLines } from "./stored-lines.ts";

const at = "2026-01-15T08:30:00.000Z";

const message: StoredMessage = {
  id: "0198-0",
  createdAt: at,
  changedAt: at,
  to: "ada@example.org",
  subject: "Invoice",
  state: "retrying",
  pymessState: { name: "ERROR_RETRY", number: 6 },
  error: "refused",
  attempts: 1,
  priority: 1,
  relatedObjects: [{ type: "user", id: "7", createdAt: at, changedAt: at }],
  attachments: [
    { name: "a.pdf", contentType: "application/pdf", size: 3 },
    { name: "b.png", contentType: "image/png", size: 4, contentId: "b" },
  ],
  failed: true,
  isFinal: false,
  isFailure: false,
  text: "one\n\u001b[31mtwo",
  html: "<b>one</b>",
  expiresAt: at,
  isReplayed: false,
  extraSenderData: { kw: "x" },
  delivery: {
    id: "0198-0",
    protocol: "email",
    endpoint: "ada@example.org",
    state: "retrying",
    attemptCount: 1,
    attempts: [{ number: 1, at, durationMs: 5, error: "refused" }],
    parts: [],
    receipts: [],
    waitReason: "email_batch",
  },
};

test("shows all of a mail, with nothing that a terminal obeys", () => {
  const lines = storedLines(message, { colours: false }).join("\n").split("\n");
  assert.deepEqual(lines, [
    "id: 0198-0",
    "state: retrying (pymess: ERROR_RETRY, 6)",
    "to: ada@example.org",
    "subject: Invoice",
    "created: 2026-01-15 08:30:00",
    "changed: 2026-01-15 08:30:00",
    "error: refused",
    "priority: 1",
    "related objects: user=7",
    "attachments: a.pdf (3 bytes), b.png (4 bytes, cid:b)",
    'provider data: {"kw":"x"}',
    "",
    "history",
    "  1  2026-01-15 08:30:00  5 ms  refused",
    "  waits for the batch sender",
    "",
    "one",
    " [31mtwo",
    "",
    "HTML:",
    "<b>one</b>",
  ]);
});
