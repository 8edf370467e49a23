/** Names a value in an error for callers whose program has no types. */

/** The value's kind, never what is in it: it may be somebody's text. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "function") {
    const isClass = /^class\b/.test(Function.prototype.toString.call(value));
    return isClass ? `the class ${value.name}` : "a function";
  }
  if (typeof value !== "object") return `a ${typeof value}`;
  if (Array.isArray(value)) return "a list";
  const { name = "" }: { name?: string } = value.constructor ?? {};
  return name === "" || name === "Object" ? "an object" : `a ${name}`;
}
