/**
 * Looks at data of unknown origin field by field, and keeps a list of all that
 * is wrong with it. No sentence shows a value: it may be a secret.
 */

/** Whether a value is as it must be. */
export type FieldCheck = (value: unknown) => boolean;

export const isText: FieldCheck = (v) => typeof v === "string" && v !== "";
export const isFlag: FieldCheck = (v) => typeof v === "boolean";

/** A list with at least one entry, each of which is right. */
export function listOf(check: FieldCheck): FieldCheck {
  return (v) => Array.isArray(v) && v.length > 0 && v.every(check);
}

export const isTextList: FieldCheck = listOf(isText);

/** One object of the data, with the path to it for sentences. */
export class CheckedFields {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #path: string;
  readonly #problems: string[];

  constructor(value: unknown, path: string, problems: string[]) {
    const isObject =
      typeof value === "object" && value !== null && !Array.isArray(value);
    if (!isObject) problems.push(`${path} must be an object`);
    this.#fields = isObject ? { ...value } : {};
    this.#path = path;
    this.#problems = problems;
  }

  get names(): readonly string[] {
    return Object.keys(this.#fields);
  }

  get(field: string): unknown {
    return this.#fields[field];
  }

  only(...known: readonly string[]): void {
    for (const field of this.names) {
      if (!known.includes(field)) this.report(field, "is not known");
    }
  }

  required(field: string, check: FieldCheck, expected: string): void {
    if (!check(this.get(field))) this.report(field, `must be ${expected}`);
  }

  optional(field: string, check: FieldCheck, expected: string): void {
    if (this.get(field) !== undefined) this.required(field, check, expected);
  }

  nested(field: string): CheckedFields | undefined {
    return this.get(field) === undefined ? undefined : this.object(field);
  }

  /** One that must be there. */
  object(field: string): CheckedFields {
    const path = `${this.#path}.${field}`;
    return new CheckedFields(this.get(field), path, this.#problems);
  }

  list(field: string): CheckedFields[] {
    const value = this.get(field);
    if (!Array.isArray(value) || value.length === 0) {
      this.report(field, "must be a list with at least one entry");
      return [];
    }
    return value.map(
      (item, i) =>
        new CheckedFields(item, `${this.#path}.${field}[${i}]`, this.#problems),
    );
  }

  report(field: string, problem: string): void {
    this.#problems.push(`${this.#path}.${field} ${problem}`);
  }
}
