/**
 * Checks requests against their TypeBox schemas. A schema (or a property of
 * one) may name the error its violation is, as `errorCode`: each field of
 * SMN's requests has a code of its own.
 */

import { CarillonError, type ErrorCode, errorCatalogue } from "@carillon/core";
import type { FastifySchemaCompiler } from "fastify";
import type { TSchema } from "typebox";
import type { TLocalizedValidationError } from "typebox/error";
import { Check, Compile, Errors, type Validator } from "typebox/schema";
import { RequestError, type RequestErrorCode } from "../errors.ts";
import { isRecord } from "./schema-walk.ts";

type AnySchema = Readonly<Record<string, unknown>>;

/** What a violation of a schema can be. */
export type AnyCode = ErrorCode | RequestErrorCode;

/** Names the error that a violation of the schema is. */
export function failsWith(errorCode: AnyCode): { errorCode: AnyCode } {
  return { errorCode };
}

/**
 * For apps that set both compilers: Fastify would load Ajv and
 * fast-json-stringify to have some of its own, and never use them.
 */
export const withoutOwnCompilers = {
  compilersFactory: { buildValidator: unused, buildSerializer: unused },
};

function unused(): never {
  throw new Error("The compilers are set after the app was made");
}

export const compileValidator: FastifySchemaCompiler<TSchema> = ({
  schema,
  httpPart,
}) => {
  // With the first request: all routes together would hold up the start.
  let validator: Validator | undefined;
  return (value) => {
    validator ??= Compile(schema);
    if (validator.Check(value)) return true;
    const violation = firstViolation(schema, value);
    if (violation?.keyword !== "unknown") {
      return { error: toError(schema, violation) };
    }
    return {
      error: new RequestError(
        "REQUEST_INVALID",
        unknownText(violation, httpPart === "querystring"),
      ),
    };
  };
};

/** A member that a closed object does not have. */
interface UnknownMember {
  readonly keyword: "unknown";
  readonly instancePath: string;
  readonly name: string;
  readonly known: readonly string[];
}

/**
 * What is wrong with the value itself, else with the first of its parts that
 * something is wrong with. The sizes of lists and objects are seen to before
 * their parts, so that no more parts are looked at than a schema admits. A
 * member that is not known comes before one that is missing: it may be that one,
 * misspelt.
 */
function firstViolation(
  schema: unknown,
  value: unknown,
  path = "",
): TLocalizedValidationError | UnknownMember | undefined {
  if (!isRecord(schema)) return undefined;
  const [, [own]] = Errors(withoutParts(schema), value);
  if (!own || isMissing(own)) {
    const unknown = unknownMember(schema, value, path);
    if (unknown) return unknown;
  }
  if (own) return { ...own, instancePath: path + own.instancePath };
  for (const [name, inner, part] of partsOf(schema, value)) {
    const place = name.replaceAll("~", "~0").replaceAll("/", "~1");
    const found = firstViolation(inner, part, `${path}/${place}`);
    if (found) return found;
  }
  const variant = variantsOf(schema).find((one) =>
    Check(withoutParts(one), value),
  );
  return firstViolation(variant, value, path);
}

function unknownMember(
  { additionalProperties, properties }: AnySchema,
  value: unknown,
  instancePath: string,
): UnknownMember | undefined {
  if (additionalProperties !== false || !isRecord(value)) return undefined;
  const known = isRecord(properties) ? Object.keys(properties) : [];
  const name = Object.keys(value).find((it) => !known.includes(it));
  if (name === undefined) return undefined;
  return { keyword: "unknown", instancePath, name, known };
}

/** The parts of a list or object with their schemas. */
function* partsOf(
  { items, properties, patternProperties }: AnySchema,
  value: unknown,
): Iterable<[name: string, schema: unknown, part: unknown]> {
  if (Array.isArray(value)) {
    for (const [i, part] of value.entries()) yield [String(i), items, part];
  } else if (isRecord(value)) {
    const [rest] = isRecord(patternProperties)
      ? Object.values(patternProperties)
      : [];
    for (const [name, part] of Object.entries(value)) {
      const isKnown = isRecord(properties) && Object.hasOwn(properties, name);
      yield [name, isKnown ? properties[name] : rest, part];
    }
  }
}

/** The schema of a list or object alone, whatever is in it. */
function withoutParts(schema: AnySchema): Record<string, unknown> {
  const { items, properties, patternProperties, additionalProperties, ...own } =
    Object.getOwnPropertyDescriptors(schema);
  const alone: Record<string, unknown> = Object.defineProperties({}, own);
  const variants = variantsOf(schema);
  if (variants.length > 0) alone.anyOf = variants.map(withoutParts);
  return alone;
}

function variantsOf({ anyOf }: AnySchema): readonly AnySchema[] {
  return Array.isArray(anyOf) ? anyOf.filter(isRecord) : [];
}

function toError(
  schema: TSchema,
  violation: TLocalizedValidationError | undefined,
): Error {
  const path = pathOf(violation);
  const code = codeAt(schema, path);
  const what = path.length === 0 ? "The request" : path.join(".");
  const message = `${what} ${whatIsWrong(schema, path, violation)}.`;
  return code in errorCatalogue
    ? new CarillonError(
        // Just looked up.
        code as ErrorCode,
        `${errorCatalogue[code as ErrorCode]}: ${message}`,
      )
    : new RequestError(
        // The only other kind there is.
        code as RequestErrorCode,
        message,
      );
}

function whatIsWrong(
  schema: TSchema,
  path: readonly string[],
  violation: TLocalizedValidationError | undefined,
): string {
  if (path.length === 0 && violation?.keyword === "type") {
    return `must be a JSON ${violation.params.type}`;
  }
  if (isMissing(violation)) return "is missing";
  const allowed = allowedValues(schemaAt(schema, path));
  if (allowed) return `must be one of ${allowed.join(", ")}`;
  return violation?.message ?? "is not as expected";
}

/** Where a schema lists them all. */
function allowedValues(schema: unknown): readonly unknown[] | undefined {
  if (!isRecord(schema)) return undefined;
  if (Array.isArray(schema.enum)) return schema.enum;
  const variants = variantsOf(schema);
  return variants.length > 0 && variants.every((one) => "const" in one)
    ? variants.map((one) => one.const)
    : undefined;
}

/** Members that are named where one is asked for that is not known. */
const maxNamedMembers = 24;

/** In characters, of a name that a request made up. */
const maxShownName = 64;

function unknownText(
  { instancePath, name, known }: UnknownMember,
  isQuery: boolean,
): string {
  const path = toPath(instancePath);
  const [whole, kind] = isQuery
    ? ["This route", "query parameter"]
    : ["The body", "member"];
  const what = path.length === 0 ? whole : path.join(".");
  const shown = name.slice(0, maxShownName);
  const others =
    known.length === 0
      ? "; it has none"
      : known.length <= maxNamedMembers
        ? `; it has ${known.join(", ")}`
        : "";
  return `${what} has no ${kind} ${shown}${others}.`;
}

function toPath(instancePath: string): string[] {
  return instancePath
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function pathOf(violation: TLocalizedValidationError | undefined): string[] {
  if (!violation) return [];
  const path = toPath(violation.instancePath);
  if (isMissing(violation)) {
    path.push(violation.params.requiredProperties[0] ?? "");
  }
  return path;
}

function isMissing(
  violation: TLocalizedValidationError | undefined,
): violation is TLocalizedValidationError & { keyword: "required" } {
  return violation?.keyword === "required";
}

function schemaAt(schema: unknown, path: readonly string[]): unknown {
  return path.reduce(childOf, schema);
}

/** The code of the innermost schema on the way that has one. */
function codeAt(schema: TSchema, path: readonly string[]): AnyCode {
  let code: unknown = annotationOf(schema);
  let inner: unknown = schema;
  for (const part of path) {
    inner = childOf(inner, part);
    code = annotationOf(inner) ?? code;
  }
  return (code ?? "REQUEST_INVALID") as AnyCode;
}

function annotationOf(schema: unknown): unknown {
  return isRecord(schema) ? schema.errorCode : undefined;
}

function childOf(schema: unknown, part: string): unknown {
  if (!isRecord(schema)) return undefined;
  const { properties, items } = schema;
  if (isRecord(properties) && Object.hasOwn(properties, part)) {
    return properties[part];
  }
  return items;
}
