/**
 * SMN's link by which a subscription ends carries no token and acts on GET.
 * Scanners follow the links in mails and texts: those have none of the kind.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageContent } from "@carillon/core";
import { writeMail } from "./email/content.ts";
import {
  grant,
  message,
  subscriptionId,
  text,
  tokens,
  topicUrn,
} from "./fixtures.test.ts";
import { createLinks } from "./links.ts";
import { writeText } from "./sms/content.ts";

const links = createLinks({
  publicUrl: () => "https://notify.example",
  region: "eu-de",
  tokens: { ...tokens, unsubscribeToken: () => "token" },
});

const contents: readonly MessageContent[] = [
  text("Volume data-1 is 93 % full."),
  { kind: "structure", variants: { default: "a", email: "b", sms: "c" } },
  { kind: "confirmation", grant },
  { kind: "confirmation", grant, byCode: true },
  { kind: "unsubscription", grant },
];

for (const content of contents) {
  test(`no mail and no text has it: ${JSON.stringify(content)}`, () => {
    const { topic, ...rest } = message({ content });
    assert.ok(topic);
    const mail = writeMail({ ...rest, topic }, grant, links);
    assert.ok(mail);
    const written = [
      mail.subject,
      mail.text,
      mail.unsubscribeUrl ?? "",
      writeText({ ...rest, topic }, links) ?? "",
    ].join("\n");
    for (const url of written.match(/https?:\S+/g) ?? []) {
      assert.match(url, /^https:\/\/notify\.example\/[cu]\/[^/?]+$/);
    }
    assert.ok(!written.includes(subscriptionId));
    assert.ok(!written.includes(links.unsubscribePrefix(topicUrn)));
  });
}
