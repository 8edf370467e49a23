/**
 * Builds JSON Schemas that carry TypeBox's types. TypeBox has builders of its
 * own, and many more of them: loading their 373 modules would take a fifth of
 * each start.
 */

import type { Type as TypeBox } from "typebox";

type Builders = Pick<
  typeof TypeBox,
  | "Array"
  | "Boolean"
  | "Enum"
  | "Integer"
  | "Literal"
  | "Null"
  | "Number"
  | "Object"
  | "Optional"
  | "Record"
  | "Refine"
  | "String"
  | "Union"
  | "Unknown"
>;

type Schema = Readonly<Record<string, unknown>>;

const builders = {
  Array: (items: Schema, options?: Schema) => ({
    type: "array",
    items,
    ...options,
  }),
  Boolean: (options?: Schema) => ({ type: "boolean", ...options }),
  Enum: (values: readonly unknown[], options?: Schema) => ({
    enum: values,
    ...options,
  }),
  Integer: (options?: Schema) => ({ type: "integer", ...options }),
  Literal: (value: unknown, options?: Schema) => ({
    type: typeof value,
    const: value,
    ...options,
  }),
  Null: (options?: Schema) => ({ type: "null", ...options }),
  Number: (options?: Schema) => ({ type: "number", ...options }),
  Object: (properties: Readonly<Record<string, Schema>>, options?: Schema) => {
    const required = Object.keys(properties).filter(
      (name) => !(optionalMark in (properties[name] ?? {})),
    );
    return {
      type: "object",
      ...(required.length > 0 && { required }),
      properties,
      ...options,
    };
  },
  Optional: (schema: Schema) => withHidden(schema, optionalMark, true),
  /** Keys are any texts. */
  Record: (_key: Schema, value: Schema, options?: Schema) => ({
    type: "object",
    patternProperties: { "^.*$": value },
    ...options,
  }),
  Refine: (schema: Schema, check: (value: never) => boolean) =>
    withHidden(schema, "~refine", [{ check, error: () => "Refine Error" }]),
  String: (options?: Schema) => ({ type: "string", ...options }),
  Union: (anyOf: readonly Schema[], options?: Schema) => ({
    anyOf,
    ...options,
  }),
  Unknown: (options?: Schema) => ({ ...options }),
};

/** TypeBox's builders of the same names, as far as the server uses them. */
// Its types compute what its builders build; a test compares the two.
export const Type = builders as unknown as Builders;

const optionalMark = "~optional";

/** A copy with one more property, which its JSON does not show. */
function withHidden(schema: Schema, name: string, value: unknown): Schema {
  return Object.defineProperties(
    {},
    {
      ...Object.getOwnPropertyDescriptors(schema),
      [name]: { value, configurable: true, writable: true },
    },
  );
}
