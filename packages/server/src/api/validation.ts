/**
 * Checks requests against their TypeBox schemas. A schema (or a property of
 * one) may name the error its violation is, as `errorCode`: each field of
 * SMN's requests has a code of its own.
 */

import { CarillonError, type ErrorCode, errorCatalogue } from "@carillon/core";
import type { FastifySchemaCompiler } from "fastify";
import type { TSchema } from "typebox";
import type { TLocalizedValidationError } from "typebox/error";
import { Compile, type Validator } from "typebox/schema";
import { RequestError, type RequestErrorCode } from "../errors.ts";

type AnyCode = ErrorCode | RequestErrorCode;

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
}) => {
  // With the first request: all routes together would hold up the start.
  let validator: Validator | undefined;
  return (value) => {
    validator ??= Compile(schema);
    if (validator.Check(value)) return true;
    const [, [first]] = validator.Errors(value);
    return { error: toError(schema, first) };
  };
};

function toError(
  schema: TSchema,
  violation: TLocalizedValidationError | undefined,
): Error {
  const path = pathOf(violation);
  const code = codeAt(schema, path);
  const what = path.length === 0 ? "The request" : path.join(".");
  const message = isMissing(violation)
    ? `${what} is missing.`
    : `${what} ${violation?.message ?? "is not as expected"}.`;
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

function pathOf(violation: TLocalizedValidationError | undefined): string[] {
  if (!violation) return [];
  const path = violation.instancePath
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
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

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
