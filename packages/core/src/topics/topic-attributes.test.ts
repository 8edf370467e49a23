import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { maxAccessPolicyBytes } from "../access/access-policy.ts";
import { CarillonError } from "../errors.ts";
import {
  checkAttributeName,
  checkAttributeValue,
  maxIntroductionBytes,
  topicAttributeNames,
} from "./topic-attributes.ts";

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof CarillonError);
    return error.code;
  }
}

test("only known attributes have a name", () => {
  for (const name of topicAttributeNames) {
    assert.equal(checkAttributeName(name), name);
  }
  for (const name of ["", "Introduction", "toString", "__proto__"]) {
    assert.equal(
      codeOf(() => checkAttributeName(name)),
      "TOPIC_ATTRIBUTE_INVALID",
    );
  }
});

test("an introduction is any text of so many bytes, and stays as it is", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 130 }), (text) => {
      const bytes = Buffer.byteLength(text);
      const expected = text.includes("\0")
        ? "TOPIC_ATTRIBUTE_INVALID"
        : bytes > maxIntroductionBytes
          ? "TOPIC_ATTRIBUTE_TOO_LONG"
          : undefined;
      const code = codeOf(() =>
        assert.equal(checkAttributeValue("introduction", text), text),
      );
      assert.equal(code, expected);
    }),
  );
  for (const value of [undefined, null, 5, {}, "\ud800"]) {
    assert.equal(
      codeOf(() => checkAttributeValue("introduction", value)),
      "TOPIC_ATTRIBUTE_INVALID",
    );
  }
});

test("an access policy is checked, and stays as it is", () => {
  const text = `\n${JSON.stringify({
    Version: "2016-09-07",
    Id: "id",
    Statement: [
      {
        Sid: "s",
        Effect: "Allow",
        Principal: { CSP: "*" },
        Action: "*",
        Resource: "*",
      },
    ],
  })}`.padEnd(maxAccessPolicyBytes);
  assert.equal(checkAttributeValue("access_policy", text), text);
  assert.equal(
    codeOf(() => checkAttributeValue("access_policy", `${text} `)),
    "TOPIC_ATTRIBUTE_TOO_LONG",
  );
  assert.equal(
    codeOf(() => checkAttributeValue("access_policy", "")),
    "ACCESS_POLICY_INVALID",
  );
});
