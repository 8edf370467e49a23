/**
 * The `Condition` of an access policy's statement: operator → key → values.
 * SMN documents none of its operators; these are ours:
 *
 * - `StringEquals`, `StringNotEquals`, `StringEqualsIgnoreCase`,
 *   `StringNotEqualsIgnoreCase`
 * - `StringLike`, `StringNotLike`: `*` any run of characters, `?` one
 * - `Bool`: `true` or `false`
 * - `IpAddress`, `NotIpAddress`: an address or a range in CIDR form
 * - `DateEquals`, `DateNotEquals`, `DateLessThan`, `DateLessThanEquals`,
 *   `DateGreaterThan`, `DateGreaterThanEquals`: ISO 8601 date, or date and time
 *   with `Z` or an offset
 *
 * Operators' names are exact, keys are compared in any case. All operators and
 * keys must hold; of the values one must fit, or with a negated operator none.
 * What cannot be decided (an unknown operator, a key the request does not
 * have, a value that cannot be read) makes the whole condition undecidable,
 * which never lets anybody in: an Allow does not apply then, a Deny does.
 */

import { CarillonError } from "../errors.ts";
import {
  type IpRange,
  includesRange,
  parseIpRange,
  unmapped,
} from "../ip-range.ts";
import { instantOf } from "../time.ts";
import { matchesWildcard, parseWildcard } from "./wildcard.ts";

/** One key under one operator, ready to be held against a request. */
export interface AccessCondition {
  /** As written, for explanations. */
  readonly operator: string;
  /** Lower case. */
  readonly key: string;
  readonly negated: boolean;
  /** Absent when operator or values cannot be understood. */
  readonly test?: ValueTest;
}

/** Whether a request's value fits; `undefined` when it cannot be read. */
type ValueTest = (actual: string) => boolean | undefined;

/** What is known of a request besides who wants what. */
export type ConditionContext = Readonly<
  Record<string, string | readonly string[]>
>;

export type ConditionResult = "met" | "not_met" | "undecidable";

/** @throws CarillonError ACCESS_POLICY_CONDITION_INVALID (it is no object) */
export function parseConditions(condition: unknown): AccessCondition[] {
  if (!isObject(condition)) {
    throw new CarillonError(
      "ACCESS_POLICY_CONDITION_INVALID",
      "Invalid Condition: an object from operators to keys and values is expected.",
    );
  }
  return Object.entries(condition).flatMap(([operator, keys]) => {
    const known = operators.get(operator);
    const negated = known?.negated ?? false;
    const entries = isObject(keys) ? Object.entries(keys) : [];
    // An operator without keys says nothing that could be decided.
    if (entries.length === 0) return [{ operator, key: "", negated }];
    return entries.map(([key, values]) => {
      const texts = toTexts(values);
      const test = texts && known?.prepare(texts);
      return {
        operator,
        key: key.toLowerCase(),
        negated,
        ...(test && { test }),
      };
    });
  });
}

/** Brings a request's context into the form conditions are evaluated on. */
export function compileContext(
  context: ConditionContext,
): ReadonlyMap<string, readonly string[]> {
  return new Map(
    Object.entries(context).map(([key, value]) => [
      key.toLowerCase(),
      typeof value === "string" ? [value] : value,
    ]),
  );
}

/** The verdict on a whole `Condition`. */
export function evaluateConditions(
  conditions: readonly AccessCondition[],
  context: ReadonlyMap<string, readonly string[]>,
): ConditionResult {
  let result: ConditionResult = "met";
  for (const condition of conditions) {
    const one = evaluateCondition(condition, context);
    if (one === "undecidable") return one;
    if (one === "not_met") result = one;
  }
  return result;
}

/** The verdict on one key under one operator. */
export function evaluateCondition(
  { key, negated, test }: AccessCondition,
  context: ReadonlyMap<string, readonly string[]>,
): ConditionResult {
  const actual = context.get(key) ?? [];
  if (test === undefined || actual.length === 0) return "undecidable";
  const verdicts = actual.map(test);
  if (verdicts.includes(undefined)) return "undecidable";
  return verdicts.includes(true) === negated ? "not_met" : "met";
}

interface Operator {
  readonly negated: boolean;
  /** Answers nothing when a value cannot be read. */
  readonly prepare: (values: readonly string[]) => ValueTest | undefined;
}

const operators: ReadonlyMap<string, Operator> = new Map([
  ["StringEquals", { negated: false, prepare: isOneOf }],
  ["StringNotEquals", { negated: true, prepare: isOneOf }],
  ["StringEqualsIgnoreCase", { negated: false, prepare: isOneOfInAnyCase }],
  ["StringNotEqualsIgnoreCase", { negated: true, prepare: isOneOfInAnyCase }],
  ["StringLike", { negated: false, prepare: isLike }],
  ["StringNotLike", { negated: true, prepare: isLike }],
  ["Bool", { negated: false, prepare: isBoolean }],
  ["IpAddress", { negated: false, prepare: isInRange }],
  ["NotIpAddress", { negated: true, prepare: isInRange }],
  ["DateEquals", { negated: false, prepare: isDate((a, b) => a === b) }],
  ["DateNotEquals", { negated: true, prepare: isDate((a, b) => a === b) }],
  ["DateLessThan", { negated: false, prepare: isDate((a, b) => a < b) }],
  ["DateLessThanEquals", { negated: false, prepare: isDate((a, b) => a <= b) }],
  ["DateGreaterThan", { negated: false, prepare: isDate((a, b) => a > b) }],
  [
    "DateGreaterThanEquals",
    { negated: false, prepare: isDate((a, b) => a >= b) },
  ],
]);

function isOneOf(values: readonly string[]): ValueTest {
  const set = new Set(values);
  return (actual) => set.has(actual);
}

function isOneOfInAnyCase(values: readonly string[]): ValueTest {
  const set = new Set(values.map((value) => value.toLowerCase()));
  return (actual) => set.has(actual.toLowerCase());
}

function isLike(values: readonly string[]): ValueTest {
  const patterns = values.map(parseWildcard);
  return (actual) => patterns.some((one) => matchesWildcard(one, actual));
}

function isBoolean(values: readonly string[]): ValueTest | undefined {
  return testRead(values, toBoolean, (actual, value) => actual === value);
}

function isInRange(values: readonly string[]): ValueTest | undefined {
  return testRead(values, parsePeer, (actual, range) =>
    includesRange(range, actual),
  );
}

function parsePeer(text: string): IpRange | undefined {
  const range = parseIpRange(text);
  return range && unmapped(range);
}

function isDate(
  compare: (actual: number, value: number) => boolean,
): Operator["prepare"] {
  return (values) => testRead(values, instantOf, compare);
}

/** A test of values that are more than text, the policy's read beforehand. */
function testRead<Value>(
  texts: readonly string[],
  read: (text: string) => Value | undefined,
  fits: (actual: Value, value: Value) => boolean,
): ValueTest | undefined {
  const values = readAll(texts, read);
  if (values === undefined) return undefined;
  return (text) => {
    const actual = read(text);
    return actual === undefined
      ? undefined
      : values.some((value) => fits(actual, value));
  };
}

/** `undefined` when one of them cannot be read. */
function readAll<Source, Value>(
  sources: readonly Source[],
  read: (source: Source) => Value | undefined,
): Value[] | undefined {
  const values: Value[] = [];
  for (const source of sources) {
    const value = read(source);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}

function toBoolean(text: string): boolean | undefined {
  const lower = text.toLowerCase();
  return lower === "true" ? true : lower === "false" ? false : undefined;
}

/** A value or a non-empty list of values, as text. */
function toTexts(values: unknown): string[] | undefined {
  const list: unknown[] = Array.isArray(values) ? values : [values];
  if (list.length === 0) return undefined;
  return readAll(list, (value) =>
    typeof value === "string" ||
    typeof value === "number" ||
    typeof value === "boolean"
      ? String(value)
      : undefined,
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
