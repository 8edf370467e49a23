/**
 * Decides by a topic's access policy whether a request may pass. The owner
 * always may; anybody else needs a statement that allows and none that denies.
 */

import {
  type ConditionContext,
  compileContext,
  evaluateConditions,
} from "./access-condition.ts";
import type {
  AccessAction,
  AccessPolicy,
  AccessStatement,
  PrincipalElement,
} from "./access-policy.ts";
import { matchesWildcard } from "./wildcard.ts";

export interface AccessRequest {
  readonly principal: AccessPrincipal;
  readonly action: AccessAction;
  /** The topic's URN. */
  readonly resource: string;
  /** Default none: then statements with conditions are undecidable. */
  readonly conditionContext?: ConditionContext;
}

/** Who asks: an account, or a service in an account's name. */
export interface AccessPrincipal {
  readonly domainId: string;
  readonly projectId: string;
  readonly service?: string;
}

export interface AccessDecision {
  readonly decision: "allow" | "deny";
  readonly reason:
    | "owner"
    | "allowed"
    | "denied"
    | "nothing_allows"
    | "no_policy";
  /** Sid of the statement that decided; the first of several. */
  readonly statement?: string;
  /** The reason in plain text. */
  readonly explanation: string;
}

/** How one statement stands to a request; for dry runs. */
export interface StatementTrace {
  readonly sid: string;
  readonly effect: "Allow" | "Deny";
  readonly applies: boolean;
  readonly explanation: string;
}

export interface AccessQuestion {
  readonly ownerProjectId: string;
  /** Absent when the topic has none. */
  readonly policy?: AccessPolicy | undefined;
  readonly request: AccessRequest;
}

/** The decision on a request to a topic: owner, then policy. */
export function decideAccess(question: AccessQuestion): AccessDecision {
  const { ownerProjectId, policy, request } = question;
  if (request.principal.projectId === ownerProjectId) {
    return {
      decision: "allow",
      reason: "owner",
      explanation: "The topic's own project may do anything with it.",
    };
  }
  if (policy) return evaluateAccess(policy, request);
  return {
    decision: "deny",
    reason: "no_policy",
    explanation:
      "The topic has no access policy: only its own project may use it.",
  };
}

/** `decideAccess`, with what each of the policy's statements says. */
export function explainAccess(
  question: AccessQuestion,
): AccessDecision & { readonly statements: readonly StatementTrace[] } {
  const { policy, request } = question;
  const holdAgainst = matcherFor(request);
  const statements = (policy?.statements ?? []).map((statement) => {
    const { sid, effect } = statement;
    const outcome = holdAgainst(statement);
    return {
      sid,
      effect,
      applies: applies(statement, outcome),
      explanation: explanations[outcome],
    };
  });
  return { ...decideAccess(question), statements };
}

/** What the policy alone decides; it does not know the topic's owner. */
export function evaluateAccess(
  policy: AccessPolicy,
  request: AccessRequest,
): AccessDecision {
  const holdAgainst = matcherFor(request);
  let allowing: string | undefined;
  for (const statement of policy.statements) {
    // Only the first Allow counts, every Deny does.
    if (statement.effect === "Allow" && allowing !== undefined) continue;
    const outcome = holdAgainst(statement);
    if (!applies(statement, outcome)) continue;
    if (statement.effect === "Deny") {
      return {
        decision: "deny",
        reason: "denied",
        statement: statement.sid,
        explanation:
          outcome === "condition_undecidable"
            ? `Statement "${statement.sid}" denies ${request.action}; its condition could not be decided, which counts as met.`
            : `Statement "${statement.sid}" denies ${request.action}.`,
      };
    }
    allowing = statement.sid;
  }
  return allowing === undefined
    ? {
        decision: "deny",
        reason: "nothing_allows",
        explanation: `No statement allows ${request.action} to this caller.`,
      }
    : {
        decision: "allow",
        reason: "allowed",
        statement: allowing,
        explanation: `Statement "${allowing}" allows ${request.action}, and none denies it.`,
      };
}

type Outcome = keyof typeof explanations;

const explanations = {
  fits: "Principal, action, resource and condition fit the request.",
  other_principal: "It is about other principals.",
  other_action: "It is about other actions.",
  other_resource: "It is about other resources.",
  condition_not_met: "Its condition is not met.",
  condition_undecidable:
    "Its condition cannot be decided: an operator is unknown, a key is not in the request, or a value cannot be read. That never lets anybody in.",
} as const;

/** An undecidable condition keeps an Allow from applying, but not a Deny. */
function applies(statement: AccessStatement, outcome: Outcome): boolean {
  return (
    outcome === "fits" ||
    (outcome === "condition_undecidable" && statement.effect === "Deny")
  );
}

/** Holds statements against one request, whose context is read only once. */
function matcherFor(
  request: AccessRequest,
): (statement: AccessStatement) => Outcome {
  const { principal, action, resource, conditionContext = {} } = request;
  let context: ReturnType<typeof compileContext> | undefined;
  return (statement) => {
    if (!names(statement.principal, principal)) return "other_principal";
    if (statement.action.actions.has(action) === statement.action.negated) {
      return "other_action";
    }
    const { patterns, negated } = statement.resource;
    if (patterns.some((one) => matchesWildcard(one, resource)) === negated) {
      return "other_resource";
    }
    if (statement.conditions.length === 0) return "fits";
    context ??= compileContext(conditionContext);
    const verdict = evaluateConditions(statement.conditions, context);
    return verdict === "met" ? "fits" : `condition_${verdict}`;
  };
}

function names(
  { negated, everyone, domains, services }: PrincipalElement,
  { domainId, service }: AccessPrincipal,
): boolean {
  const named =
    everyone ||
    domains.has(domainId.toLowerCase()) ||
    (service !== undefined && services.has(service.toLowerCase()));
  return named !== negated;
}
