/** Writes the reference of `/api/v2` from the schemas of its routes. */

import { defaultBounds } from "../packages/server/src/api/bounded-schemas.ts";
import { problemStatus } from "../packages/server/src/api/v2/problem-codes.ts";
import { routeGroups } from "../packages/server/src/api/v2/route-groups.ts";
import type { AnyCode } from "../packages/server/src/api/validation.ts";
import {
  permissions,
  type ReachKind,
} from "../packages/server/src/identity/permissions.ts";
import type { ApiRoute } from "./api-routes.ts";
import { anchorOf, escapeCell, origin, wrap } from "./markdown.ts";

/** A JSON Schema, as far as our routes use it. */
export interface MemberSchema {
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly format?: string;
  readonly pattern?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly anyOf?: readonly MemberSchema[];
  readonly items?: MemberSchema;
  readonly properties?: Readonly<Record<string, MemberSchema>>;
  readonly patternProperties?: Readonly<Record<string, MemberSchema>>;
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly errorCode?: AnyCode;
}

/** What a request or an answer has at one place. */
export interface Member {
  /** Such as `filter.states` or `recipients[].endpoint`. */
  readonly name: string;
  readonly schema: MemberSchema;
  readonly isRequired: boolean;
}

/** By what a schema calls them; `in` of the tables. */
const requestParts = [
  ["path", "params"],
  ["query", "querystring"],
  ["header", "headers"],
  ["body", "body"],
] as const;

const conventions = `In the tables an *instant* is a text in RFC 3339, such as \`2026-01-31T08:30:00Z\`; answers have UTC with milliseconds. Members of objects stand as \`outer.inner\`, those of the items of a list as \`list[].inner\`. A text has at most ${defaultBounds.maxLength} characters, a list ${defaultBounds.maxItems} items and an object ${defaultBounds.maxProperties} members where a request's table has no other bound. A member or query parameter that a route does not know is refused; free data may have any. A \`POST\` whose members are all optional needs no body. Of an answer, members marked *optional* may be absent. *Errors of its own* are those that name a member of the request; what may happen to any request, and what is not there or is in another state, is in the list of all [errors](errors.md).`;

/**
 * The page: all routes in a table, then each in its group, and behind them what
 * several of them answer.
 */
export function renderApiReference(routes: readonly ApiRoute[]): string {
  const shared = sharedAnswers(routes);
  const groups = routeGroups.map(({ name, description }) => {
    const own = routes.filter(({ schema }) => schema.tags?.[0] === name);
    const objects = [...shared.values()].filter(({ title = "" }) =>
      own.some((route) => isFirstWith(title, route, routes)),
    );
    return [
      `## ${name}\n\n${prose(`${description}.`)}`,
      ...own.map((route) => renderRoute(route, shared)),
      ...objects.map((object) => renderObject(object, shared)),
    ].join("\n\n");
  });
  const rows = routeGroups.flatMap(({ name }) =>
    routes
      .filter(({ schema }) => schema.tags?.[0] === name)
      .map(
        (route) =>
          `| [\`${nameOf(route)}\`](#${anchorOf(nameOf(route))}) | ${escapeCell(route.schema.summary ?? "")} |`,
      ),
  );
  return `${origin}

# The API under /api/v2

Carillon's own API. Bodies of requests and answers are JSON. Whoever calls sends
credentials in one of three ways: a token in \`X-Auth-Token\`, a token as
\`Authorization: Bearer\`, or access key and secret key as user name and password of
\`Authorization: Basic\`. What is refused is answered as problem details with a
stable code: [Errors](errors.md). What a role may do: [Roles](roles.md). What a
request may cost: [Bounds](request-limits.md).

\`GET /api/v2/openapi.json\` answers this page as an OpenAPI 3.1 document, without
credentials.

${prose(conventions)}

| route | what it does |
|---|---|
${rows.join("\n")}

${groups.join("\n\n")}
`;
}

/** What a route leaves unsaid, a line each. */
export function findUndescribed(route: ApiRoute): string[] {
  const { summary, tags } = route.schema;
  const lines: string[] = [];
  if (!summary) lines.push("no summary");
  if (!routeGroups.some(({ name }) => name === tags?.[0])) {
    lines.push("no group");
  }
  const answered = objectsAnswered(route).flatMap((answer) =>
    [...membersOf(answer)].map((member) => ({ ...member, part: "answer" })),
  );
  for (const member of [...requestMembersOf(route), ...answered]) {
    const { part, name, schema } = member;
    if (!schema.description) lines.push(`${part} ${name} has no description`);
  }
  return lines.map((line) => `${nameOf(route)}: ${line}`);
}

/** Answers that several routes give are described once, by their titles. */
function sharedAnswers(
  routes: readonly ApiRoute[],
): ReadonlyMap<string, MemberSchema> {
  const seen = new Set<string>();
  const shared = new Map<string, MemberSchema>();
  for (const answer of routes.flatMap(objectsAnswered)) {
    const { title } = answer;
    if (title === undefined) continue;
    if (seen.has(title)) shared.set(title, answer);
    seen.add(title);
  }
  return shared;
}

/** The objects that a route answers, those of a list too, each once. */
function objectsAnswered(route: ApiRoute): MemberSchema[] {
  return [...new Set(answersOf(route).map(([, answer]) => objectOf(answer)))];
}

/** What each item of a list is, else the answer itself. */
function objectOf(answer: MemberSchema): MemberSchema {
  return answer.items ?? answer;
}

function isFirstWith(
  title: string,
  route: ApiRoute,
  routes: readonly ApiRoute[],
): boolean {
  const first = routes.find((it) =>
    objectsAnswered(it).some((answer) => answer.title === title),
  );
  return first === route;
}

/** What is answered if all goes well, by status. */
function answersOf({ schema }: ApiRoute): [string, MemberSchema][] {
  return Object.entries((schema.response ?? {}) as object).filter(([status]) =>
    /^[12]/.test(status),
  );
}

function renderRoute(route: ApiRoute, shared: Shared): string {
  const { summary, description } = route.schema;
  const request = requestMembersOf(route);
  const answers = answersOf(route);
  const [[, answer] = []] = answers;
  const object = answer && objectOf(answer);
  const isInline =
    object?.properties !== undefined && !shared.has(object.title ?? "");
  const parts = [
    `### ${nameOf(route)}`,
    prose(`${summary}.${description ? ` ${description}` : ""}`),
    prose(callersOf(route)),
  ];
  if (request.length > 0) parts.push(requestTable(request));
  const says = answer && answerWords(answer, shared);
  parts.push(
    prose(
      `Answers ${answers.map(([status]) => status).join(" or ")}${says ? `: ${says}` : ""}.${errorWords(request)}`,
    ),
  );
  if (object && isInline) {
    const place = object === answer ? "the answer" : "each item";
    parts.push(answerTable(object, shared, place));
  }
  return parts.join("\n\n");
}

function renderObject(object: MemberSchema, shared: Shared): string {
  const { title, description } = object;
  return [
    `### ${title}`,
    ...(description ? [prose(`${description}.`)] : []),
    answerTable(object, shared),
  ].join("\n\n");
}

function nameOf({ method, path }: ApiRoute): string {
  return `${method} ${path}`;
}

const lineWidth = 84;

function prose(text: string): string {
  return wrap(text, lineWidth).join("\n");
}

const reachWords = {
  none: "",
  self: "for themselves",
  project: "in the project of their credentials",
  domain: "in their domain",
  all: "everywhere",
} as const satisfies Record<ReachKind, string>;

/** Whose own Basic credentials do too, and what they reach. */
const accountWords = {
  publisher: "a publisher's own Basic credentials, for itself",
  subscriber: "a subscriber's own Basic credentials, for its mailbox",
} as const;

function callersOf({ operation, account }: ApiRoute): string {
  if (operation === "public") return "For anybody, without credentials.";
  const { member, admin, operator } = permissions[operation];
  const byReach = Map.groupBy(
    Object.entries({ members: member, admins: admin, operators: operator }),
    ([, reach]) => reach,
  );
  byReach.delete("none");
  const who = [...byReach].map(([reach, roles]) => {
    const names = roles.map(([name]) => name).join(", ");
    return `${names.replace(/, (\w+)$/, " and $1")} ${reachWords[reach]}`;
  });
  if (account !== undefined) who.push(accountWords[account]);
  return `Needs [\`${operation}\`](roles.md): ${who.join("; ")}.`;
}

type RequestMember = Member & { readonly part: string };

/** Of all parts of a request, those inside others behind these. */
export function requestMembersOf({ schema }: ApiRoute): RequestMember[] {
  return requestParts.flatMap(([part, key]) =>
    [...membersOf((schema[key] ?? {}) as MemberSchema)].map((member) => ({
      ...member,
      part,
    })),
  );
}

/** @param isWhole whether what is in a member is left out */
export function* membersOf(
  schema: MemberSchema,
  isWhole: (schema: MemberSchema) => boolean = () => false,
  prefix = "",
): Iterable<Member> {
  const { properties = {}, required = [] } = schema;
  for (const [name, inner] of Object.entries(properties)) {
    const path = prefix + name;
    yield { name: path, schema: inner, isRequired: required.includes(name) };
    let part = inner;
    let place = path;
    while (part.items) {
      part = part.items;
      place += "[]";
    }
    if (!isWhole(part)) yield* membersOf(part, isWhole, `${place}.`);
  }
}

function requestTable(members: readonly RequestMember[]): string {
  const rows = members.map(({ part, name, schema, isRequired }) => {
    const fallback =
      schema.default === undefined ? "–" : codeOf(schema.default);
    return `| ${part} | \`${name}\` | ${typeOf(schema)} | ${isRequired ? "**required**" : fallback} | ${meaningOf(schema)} |`;
  });
  return `| in | name | type | default | meaning |
|---|---|---|---|---|
${rows.join("\n")}`;
}

type Shared = ReadonlyMap<string, MemberSchema>;

function answerTable(
  answer: MemberSchema,
  shared: Shared,
  place = "the answer",
): string {
  const isShared = ({ title = "" }: MemberSchema) => shared.has(title);
  const rows = [...membersOf(answer, isShared)].map(
    ({ name, schema, isRequired }) =>
      `| \`${name}\` | ${typeOf(schema, shared)}${isRequired ? "" : ", *optional*"} | ${meaningOf(schema)} |`,
  );
  return `| member of ${place} | type | meaning |
|---|---|---|
${rows.join("\n")}`;
}

function answerWords(answer: MemberSchema, shared: Shared): string {
  if (answer.type === "null") return answer.description ?? "nothing";
  if (answer.title !== undefined && shared.has(answer.title)) {
    return typeOf(answer, shared);
  }
  return answer.properties ? "" : (answer.description ?? "");
}

function errorWords(members: readonly RequestMember[]): string {
  const codes = new Set(
    members.flatMap(({ schema: { errorCode = [], items } }) => [
      ...[errorCode].flat(),
      ...[items?.errorCode ?? []].flat(),
    ]),
  );
  if (codes.size === 0) return "";
  const words = [...Map.groupBy(codes, problemStatus)].map(
    ([status, alike]) => `${status} ${alike.map(codeOf).join(", ")}`,
  );
  return ` Errors of its own: ${words.join("; ")}.`;
}

function meaningOf({ description = "" }: MemberSchema): string {
  return escapeCell(description);
}

function typeOf(schema: MemberSchema, shared: Shared = new Map()): string {
  const { title = "", anyOf, items, patternProperties } = schema;
  if (shared.has(title)) return `[${title}](#${anchorOf(title)})`;
  if (schema.enum) return schema.enum.map(codeOf).join(", ");
  if (schema.const !== undefined) return codeOf(schema.const);
  if (anyOf) {
    const isChoice = anyOf.every((one) => one.const !== undefined);
    return anyOf
      .map((one) => typeOf(one, shared))
      .join(isChoice ? ", " : " or ");
  }
  const bounds = boundsOf(schema);
  if (items) return `list${bounds} of ${typeOf(items, shared)}`;
  const [value] = Object.values(patternProperties ?? {});
  if (value) return `object${bounds} of ${typeOf(value, shared)}`;
  if (schema.format === "date-time") return "instant";
  const pattern = schema.pattern
    ? ` that matches ${codeOf(schema.pattern)}`
    : "";
  return escapeCell(`${schema.type ?? "any"}${bounds}${pattern}`);
}

/** What a schema says of sizes, such as ` (1 to 500 characters)`. */
function boundsOf(schema: MemberSchema): string {
  const { minimum, maximum, minLength, maxLength } = schema;
  const { maxItems, maxProperties } = schema;
  const bounds = [
    range(minimum, maximum),
    range(minLength, maxLength, " characters"),
    range(undefined, maxItems ?? maxProperties),
  ].filter((it) => it !== undefined);
  return bounds.length === 0 ? "" : ` (${bounds.join(", ")})`;
}

function range(
  least: number | undefined,
  most: number | undefined,
  unit = "",
): string | undefined {
  if (most === undefined) {
    return least === undefined ? undefined : `${least}${unit} at least`;
  }
  if (least === undefined) return `${most}${unit} at most`;
  return `${least} to ${most}${unit}`;
}

function codeOf(value: unknown): string {
  return `\`${String(value)}\``;
}
