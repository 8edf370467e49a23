import assert from "node:assert/strict";
import { BlockList } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import {
  type AccessRequest,
  decideAccess,
  evaluateAccess,
  explainAccess,
} from "./access-decision.ts";
import { accessActions, parseAccessPolicy } from "./access-policy.ts";

const owner = "a".repeat(32);
const domains = ["1", "2", "3"].map((digit) => digit.repeat(32));
const [home = "", friend = "", stranger = ""] = domains;
const topic = `urn:smn:eu-de:${owner}:alerts`;

interface Statement {
  readonly Sid: string;
  readonly Effect: string;
  readonly [element: string]: unknown;
}

function policyOf(...statements: readonly Record<string, unknown>[]) {
  return parseAccessPolicy(
    JSON.stringify({
      Version: "2016-09-07",
      Id: "id",
      Statement: statements.map((statement, i) => ({
        Sid: `s${i + 1}`,
        Effect: "Allow",
        ...("NotPrincipal" in statement ? {} : { Principal: { CSP: ["*"] } }),
        ...("NotAction" in statement ? {} : { Action: "*" }),
        ...("NotResource" in statement ? {} : { Resource: "*" }),
        ...statement,
      })),
    }),
  );
}

function request(changes: Partial<AccessRequest> = {}): AccessRequest {
  return {
    principal: { domainId: friend, projectId: "b".repeat(32) },
    action: "SMN:Publish",
    resource: topic,
    ...changes,
  };
}

const deny = { Effect: "Deny" };
const onlyFriend = { Principal: { CSP: [`urn:csp:iam::${friend}:root`] } };

test("nothing is allowed unless a statement allows it", () => {
  const decision = evaluateAccess(
    policyOf({ Action: "SMN:Subscribe" }),
    request(),
  );
  assert.equal(decision.decision, "deny");
  assert.equal(decision.reason, "nothing_allows");
  assert.equal(decision.statement, undefined);
  assert.match(decision.explanation, /SMN:Publish/);
});

test("a matching Allow lets in, and is named", () => {
  assert.deepEqual(evaluateAccess(policyOf({}, {}), request()), {
    decision: "allow",
    reason: "allowed",
    statement: "s1",
    explanation: 'Statement "s1" allows SMN:Publish, and none denies it.',
  });
});

test("a Deny wins over any Allow, before or behind it", () => {
  for (const policy of [policyOf({}, deny), policyOf(deny, {})]) {
    const { decision, reason, explanation } = evaluateAccess(policy, request());
    assert.equal(decision, "deny");
    assert.equal(reason, "denied");
    assert.match(explanation, /Statement "s\d" denies SMN:Publish\./);
  }
});

test("distinguishes principals by account and by service", () => {
  const policy = policyOf(onlyFriend);
  const from = (domainId: string, service?: string) =>
    request({
      principal: {
        domainId,
        projectId: "b".repeat(32),
        ...(service && { service }),
      },
    });
  assert.equal(evaluateAccess(policy, from(friend)).decision, "allow");
  assert.equal(evaluateAccess(policy, from(stranger)).decision, "deny");
  const service = policyOf({ Principal: { Service: ["OBS"] } });
  assert.equal(
    evaluateAccess(service, from(stranger, "obs")).decision,
    "allow",
  );
  assert.equal(evaluateAccess(service, from(stranger, "ecs")).decision, "deny");
  assert.equal(evaluateAccess(service, from(stranger)).decision, "deny");
});

test("resources may have stars", () => {
  for (const [resource, decision] of [
    [topic, "allow"],
    [`urn:smn:eu-de:${owner}:al*`, "allow"],
    ["urn:smn:*:alerts", "allow"],
    [`${topic}2`, "deny"],
    ["urn:smn:eu-west:*", "deny"],
  ] as const) {
    const policy = policyOf({ Resource: resource });
    assert.equal(evaluateAccess(policy, request()).decision, decision);
  }
});

test("negated elements mean everything else", () => {
  for (const [statement, decision] of [
    [{ NotPrincipal: { CSP: [`urn:csp:iam::${friend}:root`] } }, "deny"],
    [{ NotPrincipal: { CSP: [`urn:csp:iam::${stranger}:root`] } }, "allow"],
    [{ NotAction: ["SMN:Subscribe"] }, "allow"],
    [{ NotAction: "SMN:Pub*" }, "deny"],
    [{ NotAction: "*" }, "deny"],
    [{ NotResource: `${topic}2` }, "allow"],
    [{ NotResource: [topic] }, "deny"],
  ] as const) {
    const policy = policyOf(statement);
    assert.equal(
      evaluateAccess(policy, request()).decision,
      decision,
      JSON.stringify(statement),
    );
  }
});

test("an undecidable condition keeps an Allow out and a Deny in", () => {
  const unknown = { Condition: { NumericEquals: { "g:Hour": 7 } } };
  const missing = { Condition: { StringEquals: { "g:Hour": "7" } } };
  for (const condition of [unknown, missing]) {
    const allowed = evaluateAccess(policyOf(condition), request());
    assert.equal(allowed.reason, "nothing_allows");
    const denied = evaluateAccess(
      policyOf({}, { ...deny, ...condition }),
      request(),
    );
    assert.equal(denied.reason, "denied");
    assert.match(denied.explanation, /could not be decided/);
  }
});

test("a condition that is not met takes its statement out", () => {
  const condition = { Condition: { StringEquals: { "smn:Protocol": "sms" } } };
  const policy = policyOf({}, { ...deny, ...condition });
  const over = (protocol: string) =>
    request({ conditionContext: { "smn:protocol": protocol } });
  assert.equal(evaluateAccess(policy, over("sms")).decision, "deny");
  assert.equal(evaluateAccess(policy, over("email")).decision, "allow");
});

test("the owner passes whatever the policy says", () => {
  const decision = decideAccess({
    ownerProjectId: owner,
    policy: policyOf(deny),
    request: request({ principal: { domainId: home, projectId: owner } }),
  });
  assert.equal(decision.decision, "allow");
  assert.equal(decision.reason, "owner");
});

test("others need a policy, another project of the owner's account too", () => {
  const asked = request({
    principal: { domainId: home, projectId: "b".repeat(32) },
  });
  const without = decideAccess({ ownerProjectId: owner, request: asked });
  assert.equal(without.decision, "deny");
  assert.equal(without.reason, "no_policy");
  const policy = policyOf({});
  assert.deepEqual(
    decideAccess({ ownerProjectId: owner, policy, request: asked }),
    evaluateAccess(policy, asked),
  );
});

test("a dry run says of each statement why it applies or not", () => {
  const { statements, ...decision } = explainAccess({
    ownerProjectId: owner,
    policy: policyOf(
      { Principal: { Service: ["obs"] } },
      { Action: "SMN:Subscribe" },
      { Resource: `${topic}2` },
      { Condition: { StringEquals: { "smn:Protocol": "sms" } } },
      { Condition: { StringEquals: { "g:Hour": "7" } } },
      {},
      { ...deny, Condition: { Bool: { "g:Hour": "true" } } },
    ),
    request: request({ conditionContext: { "smn:Protocol": "email" } }),
  });
  assert.equal(decision.statement, "s7");
  const expected: readonly [boolean, RegExp][] = [
    [false, /principals/],
    [false, /actions/],
    [false, /resources/],
    [false, /not met/],
    [false, /cannot be decided/],
    [true, /fit the request/],
    [true, /cannot be decided/],
  ];
  assert.equal(statements.length, expected.length);
  statements.forEach(({ sid, applies, explanation }, i) => {
    assert.equal(sid, `s${i + 1}`);
    assert.equal(applies, expected[i]?.[0], sid);
    assert.match(explanation, expected[i]?.[1] ?? /never/);
  });
});

test("a dry run of a topic without policy has no statements", () => {
  const explained = explainAccess({
    ownerProjectId: owner,
    request: request(),
  });
  assert.equal(explained.reason, "no_policy");
  assert.deepEqual(explained.statements, []);
});

/*
 * A second evaluator, on the policy's JSON as it stands: statements are
 * filtered in one go, patterns are regular expressions, addresses are the
 * runtime's, dates its Date.
 */

function toRegExp(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(
    `^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`,
    "s",
  );
}

const listed = (value: unknown) => [value].flat() as string[];

const comparisons: Record<string, (actual: string, value: string) => boolean> =
  {
    StringEquals: (actual, value) => actual === value,
    StringLike: (actual, value) => toRegExp(value).test(actual),
    Bool: (actual, value) => actual === value,
    IpAddress: (actual, value) => {
      const [network = "", prefix = "32"] = value.split("/");
      const list = new BlockList();
      list.addSubnet(network, Number(prefix));
      return list.check(actual);
    },
    DateLessThan: (actual, value) => new Date(actual) < new Date(value),
    DateGreaterThanEquals: (actual, value) =>
      new Date(actual) >= new Date(value),
  };

/** `undefined`: cannot be decided. */
function isMet(
  condition: Record<string, Record<string, unknown>>,
  context: Record<string, string>,
): boolean | undefined {
  const verdicts = Object.entries(condition).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) => {
      const compare = comparisons[operator.replace("Not", "")];
      const actual = context[key];
      if (!compare || actual === undefined) return undefined;
      const fits = listed(values).some((value) => compare(actual, `${value}`));
      return operator.includes("Not") ? !fits : fits;
    }),
  );
  if (verdicts.some((verdict) => verdict === undefined)) return undefined;
  return verdicts.every(Boolean);
}

function appliesNaively(statement: Statement, request: AccessRequest) {
  const { principal, action, resource, conditionContext = {} } = request;
  const isNamed = (element: unknown) => {
    const { CSP = [], Service = [] } = element as Record<string, unknown>;
    const names = [
      "*",
      `urn:csp:iam::${principal.domainId}:root`,
      `service ${principal.service}`,
    ];
    return [
      ...listed(CSP),
      ...listed(Service).map((name) => `service ${name.toLowerCase()}`),
    ].some((name) => names.includes(name));
  };
  const fits = (text: string) => (element: unknown) =>
    listed(element).some((pattern) => toRegExp(pattern).test(text));
  const holds = (name: string, test: (element: unknown) => boolean) =>
    name in statement ? test(statement[name]) : !test(statement[`Not${name}`]);
  const verdict = isMet(
    (statement.Condition ?? {}) as Record<string, Record<string, unknown>>,
    conditionContext as Record<string, string>,
  );
  return (
    holds("Principal", isNamed) &&
    holds("Action", fits(action)) &&
    holds("Resource", fits(resource)) &&
    (verdict ?? statement.Effect === "Deny")
  );
}

function decideNaively(
  statements: readonly Statement[],
  request: AccessRequest,
) {
  const applying = statements.filter((one) => appliesNaively(one, request));
  const denying = applying.find(({ Effect }) => Effect === "Deny");
  const decisive = denying ?? applying[0];
  return {
    decision: !denying && decisive ? "allow" : "deny",
    statement: decisive?.Sid,
  };
}

const accounts = ["*", ...domains.map((id) => `urn:csp:iam::${id}:root`)];
const services = ["obs", "OBS", "ecs"];
const topics = ["alerts", "alerts2", "news"].map(
  (name) => `urn:smn:eu-de:${owner}:${name}`,
);

const some = <Value>(...values: Value[]) =>
  fc.subarray(values, { minLength: 1, maxLength: 2 });

const principal = fc.oneof(
  fc.record({ CSP: some(...accounts) }),
  fc.record({ CSP: some(...accounts.slice(1)), Service: some(...services) }),
  fc.record({ Service: some(...services) }),
);
const action = fc.oneof(
  some<string>(...accessActions, "SMN:Update*", "SMN:*ub*", "SMN:*"),
  fc.constant("*"),
);
const resource = fc.oneof(
  some(...topics, "urn:smn:*:news", `urn:smn:eu-de:${owner}:alerts*`),
  fc.constant("*"),
);

const key = fc.constantFrom("g:Ip", "g:Time", "g:Tls", "g:Name", "g:Missing");
const condition = fc.dictionary(
  fc.constantFrom("StringEquals", "StringNotEquals", "StringLike", "Numeric"),
  fc.dictionary(key, some("192.0.2.7", "192.*", "true", "a?c", "abc", "*"), {
    minKeys: 1,
    maxKeys: 2,
  }),
  { maxKeys: 2 },
);
const typed = fc.record(
  {
    Bool: fc.record({ "g:Tls": fc.oneof(fc.boolean(), some("true", "false")) }),
    IpAddress: fc.record({ "g:Ip": some("192.0.2.0/24", "10.0.0.0/8") }),
    NotIpAddress: fc.record({ "g:Ip": some("192.0.2.7", "10.0.0.0/9") }),
    DateLessThan: fc.record({ "g:Time": some("2026-01-15", "2026-02-01") }),
    DateGreaterThanEquals: fc.record({
      "g:Time": some("2026-01-15T00:00:00Z", "2026-01-20T12:00:00+02:00"),
    }),
    StringNotLike: fc.record({ "g:Name": some("a*", "?", "xyz") }),
  },
  { requiredKeys: [] },
);

const statements: fc.Arbitrary<Statement[]> = fc
  .array(
    fc
      .tuple(
        fc.constantFrom("Allow", "Allow", "Deny"),
        fc.record({ principal, action, resource }),
        fc.record({
          principal: fc.nat(4),
          action: fc.nat(4),
          resource: fc.nat(4),
        }),
        fc.option(fc.oneof(condition, typed), { freq: 2 }),
      )
      .map(([Effect, elements, negate, Condition]) => ({
        Effect,
        [negate.principal === 0 ? "NotPrincipal" : "Principal"]:
          elements.principal,
        [negate.action === 0 ? "NotAction" : "Action"]: elements.action,
        [negate.resource === 0 ? "NotResource" : "Resource"]: elements.resource,
        ...(Condition && { Condition }),
      })),
    { minLength: 1, maxLength: 5 },
  )
  .map((list) => list.map((one, i) => ({ Sid: `s${i}`, ...one })));

const requests: fc.Arbitrary<AccessRequest> = fc.record(
  {
    principal: fc.record(
      {
        domainId: fc.constantFrom(...domains),
        projectId: fc.constant("b".repeat(32)),
        service: fc.constantFrom("obs", "ecs", "smn"),
      },
      { requiredKeys: ["domainId", "projectId"] },
    ),
    action: fc.constantFrom(...accessActions),
    resource: fc.constantFrom(...topics),
    conditionContext: fc.record(
      {
        "g:Ip": fc.constantFrom("192.0.2.7", "192.0.2.8", "10.200.0.1"),
        "g:Time": fc.constantFrom("2026-01-15", "2026-01-20T10:00:00Z"),
        "g:Tls": fc.constantFrom("true", "false"),
        "g:Name": fc.constantFrom("abc", "xyz", "a"),
      },
      { requiredKeys: ["g:Ip"] },
    ),
  },
  { requiredKeys: ["principal", "action", "resource"] },
);

test("decisions agree with an independent evaluator", () => {
  const seen = { allow: 0, deny: 0 };
  fc.assert(
    fc.property(statements, requests, (statements, request) => {
      const policy = parseAccessPolicy(
        JSON.stringify({
          Version: "2016-09-07",
          Id: "id",
          Statement: statements,
        }),
      );
      const { decision, statement } = evaluateAccess(policy, request);
      seen[decision]++;
      assert.deepEqual(
        { decision, statement },
        decideNaively(statements, request),
      );
    }),
    { numRuns: 3000 },
  );
  // Both outcomes came up often enough to mean something.
  assert.ok(Math.min(seen.allow, seen.deny) > 300, JSON.stringify(seen));
});
