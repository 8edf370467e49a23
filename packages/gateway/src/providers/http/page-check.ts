/** Whether something is a page, with all that is wrong with it in one clause. */

import {
  CheckedFields,
  type FieldCheck,
  isFlag,
  isText,
  isTextList,
  listOf,
} from "../../checked-fields.ts";
import { replyPrefix } from "./callback.ts";
import { type CarrierPage, errorNames, stateNames } from "./page.ts";
import { namesIn, requestNames } from "./request.ts";

/** A clause without values of the page; `undefined`: it is one. */
export function problemWithPage(value: unknown): string | undefined {
  const problems = problemsWithPage(value);
  return problems.length > 0
    ? `the page is not valid: ${problems.join("; ")}`
    : undefined;
}

/** The same, a clause for each thing. */
export function problemsWithPage(value: unknown): readonly string[] {
  const problems: string[] = [];
  checkPage(new CheckedFields(value, "page", problems));
  return problems;
}

/** Whether it says what an account has, whatever else is wrong with it. */
export function isAccountPage(
  value: unknown,
): value is Pick<CarrierPage, "title" | "settings"> {
  const problems: string[] = [];
  const page = new CheckedFields(value, "page", problems);
  page.required("title", isText, "text");
  const settings = page.nested("settings");
  for (const name of settings?.names ?? []) checkSetting(name, settings);
  return problems.length === 0;
}

function checkPage(page: CheckedFields): void {
  page.only(
    "title",
    "settings",
    "baseUrl",
    "send",
    "answer",
    "callbacks",
    "meanings",
    "maxSegments",
  );
  page.required("title", isText, "text");
  page.required(
    "baseUrl",
    isHttpUrl,
    "a URL that starts with http:// or https://",
  );
  page.optional("maxSegments", isSegments, "a whole number from 1 to 255");
  page.optional("meanings", isTextTable, "an object of texts");
  const settings = page.nested("settings");
  const names = settings?.names ?? [];
  for (const name of names) checkSetting(name, settings);
  const known = [...requestNames, ...names.map((name) => `settings.${name}`)];
  checkRequest(page, oneOf(known));
  checkAnswer(page);
  if (page.get("callbacks") === undefined) return;
  for (const callback of page.list("callbacks")) checkCallback(callback, names);
}

function checkSetting(name: string, settings: CheckedFields | undefined): void {
  if (!/^[a-z]\w*$/i.test(name)) settings?.report(name, "is no name");
  if (["name", "type", "page", "callbackUrl", "baseUrl"].includes(name)) {
    settings?.report(name, "is taken: every provider has it");
  }
  const setting = settings?.nested(name);
  setting?.only("expected", "optional", "pattern");
  setting?.required("expected", isText, "text");
  setting?.optional("optional", isFlag, "true or false");
  setting?.optional("pattern", isPattern, "a regular expression");
}

/** The names of values that templates may use. */
interface KnownNames {
  has(name: string): boolean;
  /** For people. */
  readonly list: string;
}

function oneOf(names: readonly string[]): KnownNames {
  return { has: (name) => names.includes(name), list: names.join(", ") };
}

const callFields: KnownNames = {
  has: (name) => name.startsWith(replyPrefix),
  list: `${replyPrefix}NAME`,
};

function checkRequest(page: CheckedFields, known: KnownNames): void {
  const send = page.object("send");
  send.only(
    "method",
    "path",
    "query",
    "headers",
    "basic",
    "form",
    "json",
    "body",
    "charset",
    "refusedParams",
  );
  const basic = send.nested("basic");
  basic?.only("user", "pass");
  basic?.required("user", isText, "text");
  basic?.required("pass", isString, "text");
  send.optional("method", isOneOf("GET", "POST", "PUT"), "GET, POST or PUT");
  send.required("path", isPath, "a path that begins with a slash");
  send.optional("charset", isCharset, "utf-8 or iso-8859-1");
  for (const name of ["query", "headers", "form"] as const) {
    send.optional(name, isTextTable, "an object of texts");
  }
  send.optional("body", isText, "text");
  send.optional("refusedParams", isTextList, "a list of names");
  const bodies = ["form", "json", "body"].filter(
    (it) => send.get(it) !== undefined,
  );
  if (bodies.length > 1) {
    send.report(bodies.join(", "), "exclude each other: keep one of them");
  }
  const used = new Set<string>();
  for (const name of send.names) {
    if (name === "refusedParams") continue;
    for (const it of checkTemplates(send, name, known)) used.add(it);
  }
  if (!used.has("to")) send.report("to", "is not used: nobody gets the text");
  const texts = ["text", "narrowText", "wideText"];
  if (!texts.some((it) => used.has(it))) {
    send.report("text", "is not used: nothing is sent");
  }
}

/** Answers the names that are used in a field's templates. */
function checkTemplates(
  fields: CheckedFields,
  field: string,
  known: KnownNames,
): readonly string[] {
  const value = fields.get(field);
  if (value === undefined) return [];
  // Whatever it is: texts in it are templates, and nothing else is read.
  const names = textsIn(value, field).flatMap(([place, text]) => {
    try {
      return namesIn(text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      fields.report(place, `is no template: ${error.message}`);
      return [];
    }
  });
  const unknown = new Set(names.filter((it) => !known.has(it)));
  if (unknown.size > 0) {
    const missing = [...unknown].map((it) => `"${it}"`).join(" or ");
    fields.report(
      field,
      `has no value to put in for ${missing}; there are ${known.list}`,
    );
  }
  return names;
}

/** Texts at any depth, each with its place. */
function textsIn(
  value: unknown,
  place: string,
): readonly (readonly [place: string, text: string])[] {
  if (typeof value === "string") return [[place, value]];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    textsIn(member, `${place}.${name}`),
  );
}

function checkAnswer(page: CheckedFields): void {
  const answer = page.object("answer");
  answer.only(
    "format",
    "pattern",
    "accepted",
    "id",
    "idRequired",
    "parts",
    "meta",
    "error",
    "errors",
  );
  answer.required(
    "format",
    isOneOf("json", "xml", "text"),
    "json, xml or text",
  );
  if (answer.get("format") === "text") {
    answer.required(
      "pattern",
      hasNamedGroups,
      "a regular expression with named groups, as (?<code>…)",
    );
  }
  answer.optional("accepted", isCondition, "an object of lists of texts");
  answer.optional("id", isText, "a path");
  answer.optional("idRequired", isFlag, "true or false");
  if (answer.get("id") === undefined) {
    answer.required("accepted", isCondition, "there where there is no id");
  }
  answer.optional("parts", isText, "a path");
  answer.optional("meta", isTextTable, "an object of paths");
  const error = answer.nested("error");
  error?.only("code", "message", "variables");
  error?.optional("code", isTexts, "a path, or a list of paths");
  for (const name of ["message", "variables"]) {
    error?.optional(name, isText, "a path");
  }
  if (answer.get("errors") === undefined) return;
  for (const row of answer.list("errors")) {
    row.only("codes", "range", "status", "words", "is", "retry");
    row.optional("codes", isTextList, "a list of texts");
    row.optional("range", isRange, "a list of two numbers as texts");
    row.optional("status", listOf(isHttpStatus), "a list of HTTP statuses");
    row.optional("words", isPattern, "a regular expression");
    row.required("is", isOneOf(...errorNames), errorNames.join(", "));
    row.optional("retry", isFlag, "true or false");
  }
}

function checkCallback(
  callback: CheckedFields,
  settings: readonly string[],
): void {
  callback.only(
    "path",
    "methods",
    "format",
    "charset",
    "authenticate",
    "cases",
    "reply",
  );
  callback.required("path", isPath, "a path that begins with a slash");
  callback.optional("methods", listOf(isOneOf("GET", "POST")), "GET and POST");
  callback.required("format", isOneOf("json", "form"), "json or form");
  callback.optional("charset", isCharset, "utf-8 or iso-8859-1");
  const names = oneOf(settings.map((name) => `settings.${name}`));
  const authenticate = callback.nested("authenticate");
  authenticate?.only("field", "basic", "jwt");
  for (const [kind, keys] of [
    ["field", ["path", "value"]],
    ["basic", ["user", "pass"]],
    ["jwt", ["header", "key"]],
  ] as const) {
    const way = authenticate?.nested(kind);
    way?.only(...keys);
    for (const key of keys) way?.required(key, isText, "text");
    for (const key of keys) if (way) checkTemplates(way, key, names);
  }
  for (const one of callback.list("cases")) checkCase(one, names);
  const reply = callback.nested("reply");
  reply?.only("type", "body");
  reply?.optional("type", isText, "a media type");
  reply?.required("body", isString, "text");
  if (reply) checkTemplates(reply, "body", callFields);
}

function checkCase(one: CheckedFields, settings: KnownNames): void {
  one.only("when", "has", "status", "message");
  one.optional("when", isCondition, "an object of lists of texts");
  for (const path of one.nested("when")?.names ?? []) {
    if (!path.startsWith("settings.") || settings.has(path)) continue;
    one.report("when", `has no "${path}"; there are ${settings.list}`);
  }
  one.optional("has", isTextList, "a list of paths");
  const status = one.nested("status");
  status?.only(
    "id",
    "state",
    "states",
    "otherwise",
    "code",
    "text",
    "at",
    "meta",
  );
  status?.required("id", isText, "a path");
  status?.required("state", isText, "a path");
  const isState = isOneOf(...stateNames);
  const isTable: FieldCheck = (it) =>
    isObject(it) && Object.values(it).every(isState);
  status?.required("states", isTable, `an object of ${stateNames.join(", ")}`);
  status?.optional("otherwise", isState, stateNames.join(", "));
  status?.optional("code", isText, "a path");
  status?.optional("text", isTextList, "a list of paths");
  const message = one.nested("message");
  message?.only("from", "text", "to", "id", "at", "meta");
  message?.required("from", isText, "a path");
  message?.required("text", isTexts, "a path, or a list of paths");
  for (const key of ["to", "id"]) message?.optional(key, isText, "a path");
  for (const fields of [status, message]) {
    fields?.optional("meta", isTextTable, "an object of paths");
    const at = fields?.nested("at");
    at?.only("path", "unit");
    at?.required("path", isText, "a path");
    at?.required("unit", isOneOf("s", "ms"), "s or ms");
  }
}

const isString: FieldCheck = (v) => typeof v === "string";
const isObject = (v: unknown): v is object =>
  typeof v === "object" && v !== null && !Array.isArray(v);
const isTexts: FieldCheck = (v) => isText(v) || isTextList(v);
const isTextTable: FieldCheck = (v) =>
  isObject(v) && Object.values(v).every(isString);
const isCondition: FieldCheck = (v) =>
  isObject(v) && Object.values(v).every(listOf(isString));
const isPath: FieldCheck = (v) => typeof v === "string" && /^\/\S*$/.test(v);
const isHttpUrl: FieldCheck = (v) =>
  typeof v === "string" && /^https?:\/\//.test(v) && URL.canParse(v);
const isCharset = isOneOf("utf-8", "iso-8859-1");
const isSegments: FieldCheck = (v) =>
  Number.isInteger(v) && Number(v) >= 1 && Number(v) <= 255;
const isHttpStatus: FieldCheck = (v) =>
  Number.isInteger(v) && Number(v) >= 100 && Number(v) <= 599;
const isRange: FieldCheck = (v) =>
  Array.isArray(v) &&
  v.length === 2 &&
  v.every((it) => isText(it) && !Number.isNaN(Number(it)));

function isOneOf(...values: readonly string[]): FieldCheck {
  return (v) => typeof v === "string" && values.includes(v);
}

const isPattern: FieldCheck = (v) => {
  try {
    return typeof v === "string" && Boolean(new RegExp(v)) && !isEndless(v);
  } catch {
    return false;
  }
};

/**
 * Whether what is repeated has a repeat in it, as `(a+)+`: on some texts such
 * an expression takes longer than anybody waits.
 */
function isEndless(pattern: string): boolean {
  /** Of each group that is open: whether there is a repeat in it. */
  const groups = [false];
  const bare = pattern.replace(/\\.|\[(?:\\.|[^\]\\])*\]/gs, "x");
  for (let at = 0; at < bare.length; at++) {
    const isRepeated = /^(?:[*+]|\{\d+,)/.test(bare.slice(at + 1, at + 20));
    if (bare[at] === "(") {
      groups.push(false);
      continue;
    }
    const hasRepeat = bare[at] === ")" && groups.length > 1 && groups.pop();
    if (hasRepeat && isRepeated) return true;
    if (hasRepeat || isRepeated) groups[groups.length - 1] = true;
  }
  return false;
}

/** Fields are found by the groups' names alone. */
const hasNamedGroups: FieldCheck = (v) =>
  isPattern(v) && /\(\?<[^=!]/.test(String(v));
