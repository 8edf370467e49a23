import assert from "node:assert/strict";
import { test } from "node:test";
import { createCountingIds, ManualClock, MemoryStore } from "@carillon/testing";
import fc from "fast-check";
import { CarillonError } from "../errors.ts";
import type { ProjectId } from "../ids.ts";
import { createTopics } from "../topics/topics.ts";
import { evaluateAccess } from "./access-decision.ts";
import { accessActions, parseAccessPolicy } from "./access-policy.ts";
import { createTopicAccess } from "./topic-access.ts";

const owner = "a".repeat(32) as ProjectId;
const guest = "b".repeat(32) as ProjectId;
const domains = ["1".repeat(32), "2".repeat(32)];
const urn = `urn:smn:local:${owner}:alerts`;

async function setUp() {
  const store = new MemoryStore();
  const clock = new ManualClock();
  const newId = createCountingIds();
  const topics = createTopics({ store, clock, newId }, { region: "local" });
  const access = createTopicAccess({ store, topics });
  await topics.create(owner, { name: "alerts" });
  const allow = (...statements: object[]) =>
    topics.setAttribute(owner, urn, "access_policy", toText(statements));
  return { topics, access, allow };
}

function toText(statements: readonly object[]): string {
  return JSON.stringify({
    Version: "2016-09-07",
    Id: "id",
    Statement: statements.map((statement, i) => ({
      Sid: `s${i}`,
      Effect: "Allow",
      Principal: { CSP: ["*"] },
      Action: "*",
      Resource: "*",
      ...statement,
    })),
  });
}

const caller = { domainId: domains[0] ?? "", projectId: guest };

function mustNotAsk(): never {
  throw new Error("The context was asked for in vain.");
}

test("a caller's own topics are its own, there or not, without a look", async () => {
  const { access } = await setUp();
  for (const text of [
    urn,
    `urn:smn:local:${owner}:none`,
    `urn:smn:other:${owner}:alerts`,
  ]) {
    const own = { ...caller, projectId: owner };
    const action = "SMN:Publish";
    assert.equal(await access.projectFor(own, text, action, mustNotAsk), owner);
  }
});

test("a malformed URN is left to who uses it", async () => {
  const { access } = await setUp();
  for (const text of ["", "alerts", `${urn}:${"0".repeat(32)}`]) {
    const action = "SMN:Publish";
    assert.equal(
      await access.projectFor(caller, text, action, mustNotAsk),
      guest,
    );
  }
});

test("a policy counts from when it is set until it is reset", async () => {
  const { topics, access, allow } = await setUp();
  const ask = () =>
    access.projectFor(caller, urn, "SMN:Publish", () => ({})).catch(codeOf);
  assert.equal(await ask(), "TOPIC_ACCESS_DENIED");
  await allow({});
  assert.equal(await ask(), owner);
  await allow({ Action: "SMN:Subscribe" });
  assert.equal(await ask(), "TOPIC_ACCESS_DENIED");
  await allow({});
  assert.equal(await ask(), owner);
  await topics.resetAttributes(owner, urn, "access_policy");
  assert.equal(await ask(), "TOPIC_ACCESS_DENIED");
  await allow({});
  await topics.remove(owner, urn);
  assert.equal(await ask(), "TOPIC_ACCESS_DENIED");
  await topics.create(owner, { name: "alerts" });
  assert.equal(await ask(), "TOPIC_ACCESS_DENIED");
});

test("what a policy decides is what happens, and explained", async () => {
  const { access, allow } = await setUp();
  const effect = fc.constantFrom("Allow", "Deny");
  const action = fc.constantFrom(...accessActions);
  const domain = fc.constantFrom(...domains);
  const statement = fc.record({
    Effect: effect,
    Principal: domain.map((id) => ({ CSP: [`urn:csp:iam::${id}:root`] })),
    Action: fc.oneof(action, fc.constantFrom("*", "SMN:Delete*")),
    Resource: fc.constantFrom("*", urn, `${urn}s`),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(statement, { minLength: 1, maxLength: 4 }),
      domain,
      action,
      async (statements, domainId, wanted) => {
        await allow(...statements);
        const principal = { domainId, projectId: guest };
        const { decision } = evaluateAccess(
          parseAccessPolicy(toText(statements)),
          { principal, action: wanted, resource: urn },
        );
        const isExplained =
          wanted === "SMN:Publish" || wanted === "SMN:Subscribe";
        const refusal = isExplained ? "TOPIC_ACCESS_DENIED" : guest;
        assert.equal(
          await access
            .projectFor(principal, urn, wanted, () => ({}))
            .catch(codeOf),
          decision === "allow" ? owner : refusal,
        );
        const trial = { topicUrn: urn, action: wanted, principal };
        const explained = await access.explain(owner, trial);
        assert.equal(explained.decision, decision);
        assert.equal(explained.statements.length, statements.length);
      },
    ),
    { numRuns: 200 },
  );
});

test("only the owner is explained a decision", async () => {
  const { access, allow } = await setUp();
  await allow({});
  const trial = {
    topicUrn: urn,
    action: "SMN:Publish",
    principal: caller,
  } as const;
  assert.equal(
    await access.explain(guest, trial).catch(codeOf),
    "TOPIC_NOT_FOUND",
  );
  const policy = toText([{ Effect: "Deny" }]);
  const { decision } = await access.explain(owner, { ...trial, policy });
  assert.equal(decision, "deny");
});

function codeOf(error: unknown): string {
  assert.ok(error instanceof CarillonError);
  return error.code;
}
