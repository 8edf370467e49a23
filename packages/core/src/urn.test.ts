import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ProjectId, SubscriptionId } from "./ids.ts";
import {
  formatSubscriptionUrn,
  formatTopicUrn,
  parseSubscriptionUrn,
  parseTopicUrn,
} from "./urn.ts";

const hex32 = fc
  .array(fc.constantFrom(..."0123456789abcdef"), {
    minLength: 32,
    maxLength: 32,
  })
  .map((digits) => digits.join(""));
const region = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
const topicName = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,40}$/);

test("parsing a formatted URN gives its parts back", () => {
  fc.assert(
    fc.property(
      region,
      hex32,
      topicName,
      hex32,
      (region, project, topicName, subscription) => {
        const parts = { region, projectId: project as ProjectId, topicName };
        const topic = formatTopicUrn(parts);
        assert.deepEqual(parseTopicUrn(topic), parts);
        const subscriptionId = subscription as SubscriptionId;
        assert.deepEqual(
          parseSubscriptionUrn(formatSubscriptionUrn(topic, subscriptionId)),
          { ...parts, subscriptionId },
        );
      },
    ),
  );
});

test("what is no URN is not parsed", () => {
  const project = "0".repeat(32);
  for (const text of [
    "",
    "alerts",
    "urn:smn:eu:short:alerts",
    `urn:smn:eu:${project.toUpperCase().replaceAll("0", "A")}:alerts`,
    `urn:smn:eu:${project}:`,
    `urn:smn:eu:${project}:-alerts`,
    `urn:smn:eu:${project}:a b`,
    `urn:smn:eu:${project}:alerts\n`,
    `urn:sns:eu:${project}:alerts`,
    `urn:smn::${project}:alerts`,
    `urn:smn:eu:${project}:alerts:${project}`,
  ]) {
    assert.equal(parseTopicUrn(text), undefined, text);
  }
  assert.equal(parseSubscriptionUrn(`urn:smn:eu:${project}:alerts`), undefined);
  assert.equal(parseSubscriptionUrn("garbage"), undefined);
});
