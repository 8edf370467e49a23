import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CarillonError } from "../errors.ts";
import {
  type AccessPolicy,
  type AccessStatement,
  accessActions,
  isAccessAction,
  maxAccessPolicyBytes,
  parseAccessPolicy,
} from "./access-policy.ts";

const domain = "0f3c5d1e2a4b46788899aabbccddeeff";
const account = `urn:csp:iam::${domain}:root`;
const topic = `urn:smn:eu-de:${domain}:alerts`;

const statement = {
  Sid: "s1",
  Effect: "Allow",
  Principal: { CSP: ["*"] },
  Action: ["SMN:Publish", "SMN:QueryTopicDetail"],
  Resource: "*",
};

const policy = {
  Version: "2016-09-07",
  Id: "__default_policy_ID",
  Statement: [statement],
};

/** Parses the policy with other members; `undefined` takes one away. */
function parse(changes: Record<string, unknown>): AccessPolicy {
  return parseAccessPolicy(JSON.stringify({ ...policy, ...changes }));
}

function parseOne(changes: Record<string, unknown>): AccessStatement {
  const parsed = parse({ Statement: [{ ...statement, ...changes }] });
  const [first] = parsed.statements;
  assert.ok(first);
  return first;
}

test("a policy is read and compiled", () => {
  const parsed = parseAccessPolicy(`\n  ${JSON.stringify(policy, null, 4)}\n`);
  assert.equal(parsed.id, "__default_policy_ID");
  const [first] = parsed.statements;
  assert.equal(first?.sid, "s1");
  assert.equal(first?.effect, "Allow");
  assert.equal(first?.principal.everyone, true);
  assert.deepEqual(
    [...(first?.action.actions ?? [])],
    ["SMN:Publish", "SMN:QueryTopicDetail"],
  );
});

test("what is no text of a JSON object is refused", () => {
  for (const text of [
    undefined,
    null,
    7,
    policy,
    "",
    "not json",
    "[]",
    '"text"',
    "null",
    `${JSON.stringify(policy)}}`,
    `\ufeff${JSON.stringify(policy)}`,
    '{"Version":"\ud800"}',
  ]) {
    assert.throws(() => parseAccessPolicy(text), {
      code: "ACCESS_POLICY_INVALID",
    });
  }
});

test("a policy has at most 30 KB of UTF-8", () => {
  const text = JSON.stringify(policy);
  const padded = (bytes: number) => text + " ".repeat(bytes - text.length);
  assert.ok(parseAccessPolicy(padded(maxAccessPolicyBytes)));
  for (const long of [
    padded(maxAccessPolicyBytes + 1),
    // Fewer characters than bytes.
    JSON.stringify({ ...policy, Id: "é".repeat(maxAccessPolicyBytes / 2) }),
    "[".repeat(maxAccessPolicyBytes + 1),
  ]) {
    assert.throws(() => parseAccessPolicy(long), {
      code: "TOPIC_ATTRIBUTE_TOO_LONG",
    });
  }
});

test("deep nesting is a mistake like any other", () => {
  const deep = (open: string, close: string, depth: number) =>
    open.repeat(depth) + close.repeat(depth);
  for (const depth of [100, maxAccessPolicyBytes / 2]) {
    assert.throws(() => parseAccessPolicy(deep("[", "]", depth)), {
      code: "ACCESS_POLICY_INVALID",
    });
  }
  const nested = JSON.parse(deep("[", "]", 100));
  const object = JSON.parse(`${deep('{"a":', "}", 100).replace(":}", ":0}")}`);
  for (const value of [nested, object]) {
    assert.throws(() => parse({ Version: value }), {
      code: "ACCESS_POLICY_VERSION_INVALID",
    });
    assert.throws(() => parseOne({ Principal: { CSP: value } }), {
      code: "ACCESS_POLICY_PRINCIPAL_INVALID",
    });
    assert.throws(() => parseOne({ Resource: value }), {
      code: "ACCESS_POLICY_RESOURCE_INVALID",
    });
    // Conditions are not refused for what is in them, only never met.
    assert.ok(parseOne({ Condition: { StringEquals: value } }));
  }
});

test("Version, Id and Statement are checked in this order", () => {
  const bad = { Version: "2020-01-01", Id: "", Statement: [] };
  assert.throws(() => parse(bad), { code: "ACCESS_POLICY_VERSION_INVALID" });
  assert.throws(() => parse({ ...bad, Version: policy.Version }), {
    code: "ACCESS_POLICY_ID_INVALID",
  });
  assert.throws(() => parse({ Statement: [] }), {
    code: "ACCESS_POLICY_STATEMENT_INVALID",
  });
  const cases: readonly [string, string, readonly unknown[]][] = [
    ["Version", "VERSION", [undefined, null, 7, "2016-09-08", ["2016-09-07"]]],
    ["Id", "ID", [undefined, null, 7, "", ["x"]]],
    ["Statement", "STATEMENT", [undefined, null, {}, "x", [null], [[]], ["x"]]],
  ];
  for (const [element, code, values] of cases) {
    for (const value of values) {
      assert.throws(() => parse({ [element]: value }), {
        code: `ACCESS_POLICY_${code}_INVALID`,
      });
    }
  }
});

test("a statement's elements are checked in SMN's order", () => {
  const order = [
    ["Sid", "SID"],
    ["Effect", "EFFECT"],
    ["Principal", "PRINCIPAL"],
    ["Action", "ACTION"],
    ["Resource", "RESOURCE"],
    ["Condition", "CONDITION"],
  ] as const;
  order.forEach(([, code], i) => {
    // This one and all behind it are wrong.
    const wrong = Object.fromEntries(order.slice(i).map(([name]) => [name, 7]));
    assert.throws(() => parseOne(wrong), {
      code: `ACCESS_POLICY_${code}_INVALID`,
    });
  });
});

test("Sids are texts of their own", () => {
  for (const sid of [undefined, null, "", 7, ["s1"]]) {
    assert.throws(() => parseOne({ Sid: sid }), {
      code: "ACCESS_POLICY_SID_INVALID",
    });
  }
  const twice = [statement, { ...statement, Effect: "none" }];
  assert.throws(() => parse({ Statement: twice }), {
    code: "ACCESS_POLICY_SID_INVALID",
    message: /statement 2/,
  });
  const other = { ...statement, Sid: "S1" };
  assert.equal(parse({ Statement: [statement, other] }).statements.length, 2);
});

test("the effect is Allow or Deny", () => {
  assert.equal(parseOne({ Effect: "Deny" }).effect, "Deny");
  for (const effect of [undefined, "allow", "Permit", ["Allow"], true]) {
    assert.throws(() => parseOne({ Effect: effect }), {
      code: "ACCESS_POLICY_EFFECT_INVALID",
    });
  }
});

test("principals are accounts and services", () => {
  const named = (principal: unknown) =>
    parseOne({ Principal: principal }).principal;
  assert.equal(named({ CSP: "*" }).everyone, true);
  assert.deepEqual([...named({ CSP: [account] }).domains], [domain]);
  assert.deepEqual(
    [
      ...named({ CSP: [account.replace(domain, domain.toUpperCase())] })
        .domains,
    ],
    [domain],
  );
  assert.deepEqual([...named({ CSP: account }).domains], [domain]);
  // Upper case is what tests of clients write.
  assert.deepEqual([...named({ Service: ["OBS"] }).services], ["obs"]);
  assert.deepEqual([...named({ CSP: [], Service: "obs" }).services], ["obs"]);
  const negated = parseOne({
    Principal: undefined,
    NotPrincipal: { CSP: [account] },
  });
  assert.equal(negated.principal.negated, true);
  for (const principal of [
    undefined,
    null,
    "*",
    [],
    {},
    { CSP: [] },
    { CSP: ["urn:csp:iam::x:root"] },
    { CSP: [`${account}:user`] },
    { CSP: [domain] },
    { CSP: [7] },
    { CSP: {} },
    { Service: ["o b s"] },
    { Service: [""] },
    { Service: ["*"] },
    { Service: 7 },
    { CSP: ["*"], Federated: ["x"] },
    { csp: ["*"] },
  ]) {
    assert.throws(
      () => named(principal),
      { code: "ACCESS_POLICY_PRINCIPAL_INVALID" },
      JSON.stringify(principal),
    );
  }
});

test("actions are those of SMN, with stars", () => {
  const actions = (action: unknown) =>
    [...parseOne({ Action: action }).action.actions].map((one) =>
      one.replace("SMN:", ""),
    );
  assert.deepEqual(actions("SMN:Publish"), ["Publish"]);
  assert.deepEqual(actions(["SMN:Update*"]), [
    "UpdateTopic",
    "UpdateTopicAttribute",
  ]);
  assert.deepEqual(actions(["SMN:Delete*"]), [
    "DeleteTopic",
    "DeleteTopicAttributes",
    "DeleteTopicAttributeByName",
  ]);
  assert.deepEqual(actions("SMN:*Subscribe*"), ["Subscribe"]);
  assert.equal(actions("*").length, accessActions.length);
  assert.equal(actions("SMN:*").length, accessActions.length);
  for (const action of accessActions) assert.ok(isAccessAction(action));
  for (const action of [
    undefined,
    null,
    "",
    [],
    {},
    [7],
    "Publish",
    "smn:Publish",
    "SMN:publish",
    "SMN:",
    "SMN:Fly",
    "SMN:Fly*",
    "SMN:Publis?",
    "OBS:*",
    "*:*",
    ["SMN:Publish", "SMN:Fly"],
  ]) {
    assert.throws(
      () => actions(action),
      { code: "ACCESS_POLICY_ACTION_INVALID" },
      JSON.stringify(action),
    );
  }
});

test("resources are topics' URNs, with stars", () => {
  for (const resource of [
    "*",
    topic,
    [topic, `${topic}2`],
    `urn:smn:eu-de:${domain}:*`,
    "urn:smn:*:alerts",
    "urn:smn:*",
  ]) {
    assert.ok(parseOne({ Resource: resource }));
  }
  for (const resource of [
    undefined,
    null,
    "",
    [],
    {},
    [7],
    "alerts",
    "urn:*",
    `urn:sns:eu-de:${domain}:*`,
    `${topic}:*`,
    `${topic}:${domain}`,
    "urn:smn:eu-de:short:alerts",
    `urn:smn:eu-de:${domain}:a?*`,
    [topic, "alerts"],
  ]) {
    assert.throws(
      () => parseOne({ Resource: resource }),
      { code: "ACCESS_POLICY_RESOURCE_INVALID" },
      JSON.stringify(resource),
    );
  }
});

test("an element and its negation exclude each other", () => {
  const elements = [
    ["Principal", "PRINCIPAL"],
    ["Action", "ACTION"],
    ["Resource", "RESOURCE"],
  ] as const;
  for (const [name, code] of elements) {
    assert.throws(() => parseOne({ [`Not${name}`]: statement[name] }), {
      code: `ACCESS_POLICY_${code}_INVALID`,
    });
    assert.ok(parseOne({ [name]: undefined, [`Not${name}`]: statement[name] }));
  }
});

test("a condition is an object, if there is one", () => {
  assert.deepEqual(parseOne({}).conditions, []);
  assert.deepEqual(parseOne({ Condition: {} }).conditions, []);
  for (const condition of [null, "x", 7, []]) {
    assert.throws(() => parseOne({ Condition: condition }), {
      code: "ACCESS_POLICY_CONDITION_INVALID",
    });
  }
});

test("whatever comes, a policy or one of its errors comes out", () => {
  const codes = [
    "TOPIC_ATTRIBUTE_TOO_LONG",
    "ACCESS_POLICY_INVALID",
    ...["VERSION", "ID", "STATEMENT", "SID", "EFFECT", "PRINCIPAL"].map(
      (element) => `ACCESS_POLICY_${element}_INVALID`,
    ),
    ...["ACTION", "RESOURCE", "CONDITION"].map(
      (element) => `ACCESS_POLICY_${element}_INVALID`,
    ),
  ];
  const mostly = (value: unknown) =>
    fc.oneof(
      { arbitrary: fc.constant(value), weight: 8 },
      { arbitrary: fc.jsonValue(), weight: 1 },
    );
  const statements = fc.array(
    fc.record(
      {
        Sid: fc.oneof(fc.string(), mostly("s")),
        Effect: mostly("Deny"),
        Principal: mostly({ Service: ["obs"] }),
        NotAction: mostly(["SMN:Publish"]),
        Resource: mostly(topic),
        Condition: mostly({ Bool: { a: true } }),
      },
      { requiredKeys: ["Sid", "Effect", "Principal", "NotAction", "Resource"] },
    ),
  );
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .record({
        Version: mostly(policy.Version),
        Id: mostly("id"),
        Statement: fc.oneof(statements, mostly(policy.Statement)),
      })
      .map((value) => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(text, (text) => {
      try {
        assert.ok(parseAccessPolicy(text).statements.length > 0);
      } catch (error) {
        assert.ok(error instanceof CarillonError);
        assert.ok(codes.includes(error.code), error.code);
      }
    }),
    { numRuns: 500 },
  );
});
