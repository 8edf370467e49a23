/** Schemas that are changed as routes are added. */

/**
 * A copy of a schema, with all that is within it, each changed by `change` once
 * what is within it is. What is no schema is left as it is.
 */
export function mapSchema(
  schema: unknown,
  change: (copy: Record<string, unknown>) => void,
): unknown {
  const map = (inner: unknown) => mapSchema(inner, change);
  if (Array.isArray(schema)) return schema.map(map);
  if (!isRecord(schema)) return schema;
  // Members that the JSON does not show stay as they are.
  const copy: Record<string, unknown> = Object.defineProperties(
    {},
    Object.getOwnPropertyDescriptors(schema),
  );
  for (const name of ["items", "anyOf"]) {
    if (name in schema) copy[name] = map(schema[name]);
  }
  for (const name of ["properties", "patternProperties"]) {
    const members = schema[name];
    if (!isRecord(members)) continue;
    copy[name] = Object.fromEntries(
      Object.entries(members).map(([key, inner]) => [key, map(inner)]),
    );
  }
  change(copy);
  return copy;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
