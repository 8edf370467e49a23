/**
 * A topic's access policy: who else may do what with it. This file reads and
 * checks the text, in SMN's order and with an error per element; deciding on
 * requests is `access-decision.ts`. Wherever SMN wants a list, one text stands
 * for a list of one.
 */

import { CarillonError, type ErrorCode } from "../errors.ts";
import { fitsUtf8 } from "../text.ts";
import { parseTopicUrn } from "../urn.ts";
import { type AccessCondition, parseConditions } from "./access-condition.ts";
import { matchesWildcard, parseWildcard, type Wildcard } from "./wildcard.ts";

/** The actions that a policy can name. */
export const accessActions = [
  "SMN:UpdateTopic",
  "SMN:DeleteTopic",
  "SMN:QueryTopicDetail",
  "SMN:ListTopicAttributes",
  "SMN:UpdateTopicAttribute",
  "SMN:DeleteTopicAttributes",
  "SMN:DeleteTopicAttributeByName",
  "SMN:ListSubscriptionsByTopic",
  "SMN:Subscribe",
  "SMN:Unsubscribe",
  "SMN:Publish",
] as const;

/**
 * Something a caller can do with a topic, as SMN's policies name it:
 * `SMN:Publish` and others.
 */
export type AccessAction = (typeof accessActions)[number];

/** A checked policy, compiled for decisions. The text itself is not in it. */
export interface AccessPolicy {
  readonly id: string;
  readonly statements: readonly AccessStatement[];
}

export interface AccessStatement {
  /** Unique within the policy. */
  readonly sid: string;
  readonly effect: "Allow" | "Deny";
  readonly principal: PrincipalElement;
  readonly action: ActionElement;
  readonly resource: ResourceElement;
  readonly conditions: readonly AccessCondition[];
}

/** `negated` elements (NotPrincipal and the like) mean everything else. */
export interface PrincipalElement {
  readonly negated: boolean;
  /** `CSP` has a `*`. */
  readonly everyone: boolean;
  /** Lower case. */
  readonly domains: ReadonlySet<string>;
  /** Lower case. */
  readonly services: ReadonlySet<string>;
}

export interface ActionElement {
  readonly negated: boolean;
  /** Wildcards are resolved. */
  readonly actions: ReadonlySet<AccessAction>;
}

export interface ResourceElement {
  readonly negated: boolean;
  readonly patterns: readonly Wildcard[];
}

/** 30 KB, in bytes of UTF-8 (SMN limits). */
export const maxAccessPolicyBytes = 30 * 1024;

/** The only version there is. */
export const accessPolicyVersion = "2016-09-07";

export function isAccessAction(text: string): text is AccessAction {
  return (accessActions as readonly string[]).includes(text);
}

/**
 * Reads a policy's text; callers keep that text, which is given back byte for
 * byte. Elements are checked in the order Version, Id, Statement, then for one
 * statement after the other Sid, Effect, Principal, Action, Resource,
 * Condition; the first mistake is reported. Unknown elements are ignored.
 *
 * @throws CarillonError TOPIC_ATTRIBUTE_TOO_LONG, ACCESS_POLICY_INVALID,
 * ACCESS_POLICY_VERSION_INVALID, ACCESS_POLICY_ID_INVALID,
 * ACCESS_POLICY_STATEMENT_INVALID, ACCESS_POLICY_SID_INVALID,
 * ACCESS_POLICY_EFFECT_INVALID, ACCESS_POLICY_PRINCIPAL_INVALID,
 * ACCESS_POLICY_ACTION_INVALID, ACCESS_POLICY_RESOURCE_INVALID,
 * ACCESS_POLICY_CONDITION_INVALID
 */
export function parseAccessPolicy(text: unknown): AccessPolicy {
  const policy = parseObject(text);
  if (policy.Version !== accessPolicyVersion) {
    throw invalid(
      "ACCESS_POLICY_VERSION_INVALID",
      `Version is "${accessPolicyVersion}"`,
    );
  }
  const { Id: id, Statement: statements } = policy;
  if (typeof id !== "string" || id === "") {
    throw invalid("ACCESS_POLICY_ID_INVALID", "Id is a text, not empty");
  }
  if (!Array.isArray(statements) || statements.length === 0) {
    throw invalid(
      "ACCESS_POLICY_STATEMENT_INVALID",
      "Statement is a list, not empty",
    );
  }
  const sids = new Set<string>();
  return {
    id,
    statements: statements.map((statement: unknown, i) =>
      parseStatement(statement, sids, `statement ${i + 1}`),
    ),
  };
}

function parseObject(text: unknown): Record<string, unknown> {
  if (typeof text !== "string") {
    throw invalid("ACCESS_POLICY_INVALID", "a text is expected");
  }
  if (!fitsUtf8(text, maxAccessPolicyBytes)) {
    throw new CarillonError(
      "TOPIC_ATTRIBUTE_TOO_LONG",
      "Access policy too long: at most 30 KB.",
    );
  }
  // Half a surrogate pair has no UTF-8 form and could not be given back.
  if (!text.isWellFormed()) {
    throw invalid("ACCESS_POLICY_INVALID", "it is not well-formed Unicode");
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw invalid("ACCESS_POLICY_INVALID", "it is not JSON", cause);
  }
  if (isObject(parsed)) return parsed;
  throw invalid("ACCESS_POLICY_INVALID", "it is not a JSON object");
}

/** @param sids those of earlier statements; this one's is added */
function parseStatement(
  statement: unknown,
  sids: Set<string>,
  where: string,
): AccessStatement {
  if (!isObject(statement)) {
    throw invalid(
      "ACCESS_POLICY_STATEMENT_INVALID",
      `${where} is not an object`,
    );
  }
  const { Sid: sid, Effect: effect, Condition: condition } = statement;
  if (typeof sid !== "string" || sid === "" || sids.has(sid)) {
    throw invalid(
      "ACCESS_POLICY_SID_INVALID",
      `the Sid of ${where} is a text, not empty and no other statement's`,
    );
  }
  sids.add(sid);
  if (effect !== "Allow" && effect !== "Deny") {
    throw invalid(
      "ACCESS_POLICY_EFFECT_INVALID",
      `the Effect of ${where} is Allow or Deny`,
    );
  }
  return {
    sid,
    effect,
    principal: parsePrincipal(statement, where),
    action: parseAction(statement, where),
    resource: parseResource(statement, where),
    conditions: condition === undefined ? [] : parseConditions(condition),
  };
}

function parsePrincipal(
  statement: Record<string, unknown>,
  where: string,
): PrincipalElement {
  const element = findOneOf(statement, "Principal");
  const rule = (text: string) =>
    invalid("ACCESS_POLICY_PRINCIPAL_INVALID", `${where} ${text}`);
  if (!element) throw rule("has either Principal or NotPrincipal");
  const { negated, value } = element;
  if (!isObject(value)) {
    throw rule("names principals in an object of CSP and Service");
  }
  // What is not understood must not vanish: with NotPrincipal that would let
  // more callers in than the owner meant.
  if (Object.keys(value).some((key) => key !== "CSP" && key !== "Service")) {
    throw rule("has a kind of principal other than CSP and Service");
  }
  const accounts = toTexts(value.CSP ?? []);
  const services = toTexts(value.Service ?? []);
  if (!accounts || !services || accounts.length + services.length === 0) {
    throw rule("names at least one principal, in lists of texts");
  }
  const domains = new Set<string>();
  let everyone = false;
  for (const account of accounts) {
    const [, domain] =
      /^urn:csp:iam::([0-9A-Fa-f]{32}):root$/.exec(account) ?? [];
    if (account === "*") everyone = true;
    else if (domain) domains.add(domain.toLowerCase());
    else throw rule("lists in CSP urn:csp:iam::{domain_id}:root, or *");
  }
  if (!services.every((service) => /^[A-Za-z0-9_.-]{1,64}$/.test(service))) {
    throw rule("lists in Service the names of services");
  }
  return {
    negated,
    everyone,
    domains,
    services: new Set(services.map((service) => service.toLowerCase())),
  };
}

function parseAction(
  statement: Record<string, unknown>,
  where: string,
): ActionElement {
  const element = findOneOf(statement, "Action");
  const rule = (text: string) =>
    invalid("ACCESS_POLICY_ACTION_INVALID", `${where} ${text}`);
  if (!element) throw rule("has either Action or NotAction");
  const patterns = toTexts(element.value) ?? [];
  if (patterns.length === 0) throw rule("lists at least one action, as text");
  const actions = new Set<AccessAction>();
  for (const pattern of patterns) {
    // A star may stand for any part of an action's name, or for everything.
    const wildcard =
      pattern === "*" || /^SMN:[A-Za-z*]+$/.test(pattern)
        ? parseWildcard(pattern)
        : undefined;
    const meant = accessActions.filter(
      (action) => wildcard && matchesWildcard(wildcard, action),
    );
    if (meant.length === 0) {
      throw rule(
        "lists actions such as SMN:Publish, SMN:Update* or *; one of these is unknown",
      );
    }
    for (const action of meant) actions.add(action);
  }
  return { negated: element.negated, actions };
}

function parseResource(
  statement: Record<string, unknown>,
  where: string,
): ResourceElement {
  const element = findOneOf(statement, "Resource");
  const rule = (text: string) =>
    invalid("ACCESS_POLICY_RESOURCE_INVALID", `${where} ${text}`);
  if (!element) throw rule("has either Resource or NotResource");
  const patterns = toTexts(element.value) ?? [];
  if (patterns.length === 0 || !patterns.every(isResourcePattern)) {
    throw rule("lists topic URNs, in which * may stand for any part, or *");
  }
  return { negated: element.negated, patterns: patterns.map(parseWildcard) };
}

/** Only what can be a topic's URN: a typing error must not void a Deny. */
function isResourcePattern(pattern: string): boolean {
  if (!pattern.includes("*")) return parseTopicUrn(pattern) !== undefined;
  return (
    pattern === "*" ||
    (/^urn:smn:[A-Za-z0-9_:*-]+$/.test(pattern) &&
      pattern.split(":", 6).length <= 5)
  );
}

/** The element or its negation; `undefined` when neither or both are there. */
function findOneOf(
  statement: Record<string, unknown>,
  name: "Principal" | "Action" | "Resource",
): { negated: boolean; value: unknown } | undefined {
  const plain = statement[name];
  const negation = statement[`Not${name}`];
  if ((plain === undefined) === (negation === undefined)) return undefined;
  return plain === undefined
    ? { negated: true, value: negation }
    : { negated: false, value: plain };
}

function toTexts(value: unknown): string[] | undefined {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.every((item) => typeof item === "string") ? list : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(
  code: ErrorCode,
  rule: string,
  cause?: unknown,
): CarillonError {
  return new CarillonError(code, `Invalid access policy: ${rule}.`, { cause });
}
