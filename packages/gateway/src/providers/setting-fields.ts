/** Settings that many providers have, as their schemas name them. */

import type { ProviderField } from "../provider-type.ts";
import { secretsOfUrl } from "../redact.ts";

/** Any text but the empty one. */
export const textField: ProviderField = {
  schema: { type: "string", minLength: 1 },
  expected: "a text",
};

/** Where a carrier, or what stands in for it, is reached. */
export const urlField = {
  schema: { type: "string", pattern: "^https?://" },
  check: (value: unknown) => typeof value === "string" && URL.canParse(value),
  expected: "a URL that starts with http:// or https://",
} as const satisfies ProviderField;

/** Where the carrier reaches us: who knows it can make up reports and texts. */
export const callbackUrlField: ProviderField = secret(optional(urlField));

/** Yes or no. */
export const flagField: ProviderField = {
  schema: { type: "boolean" },
  expected: "true or false",
};

/** What stands in front of our ids at a carrier; may be empty. */
export const prefixField: ProviderField = {
  schema: { type: "string", pattern: "^[!-~]{0,100}$" },
  expected: "up to 100 visible ASCII characters",
};

/** A text that has this form. */
export function textLike(pattern: RegExp, expected: string): ProviderField {
  return { schema: { type: "string", pattern: pattern.source }, expected };
}

/** One of these texts. */
export function oneOf(...values: readonly string[]): ProviderField {
  const list = new Intl.ListFormat("en-GB", { type: "disjunction" });
  return { schema: { enum: values }, expected: list.format(values) };
}

/** A whole number within bounds. */
export function wholeNumber(minimum: number, maximum: number): ProviderField {
  return {
    schema: { type: "integer", minimum, maximum },
    expected: `a whole number from ${minimum} to ${maximum}`,
  };
}

/** The same field, which may be left out. */
export function optional(field: ProviderField): ProviderField {
  return { ...field, isOptional: true };
}

/** The same field, whose value nobody may see. */
export function secret(field: ProviderField): ProviderField {
  return { ...field, isSecret: true };
}

/** The texts in the secret settings; of a URL, what lets somebody use it. */
export function secretsIn(
  schema: Readonly<Record<string, ProviderField>>,
  settings: object,
): string[] {
  return Object.entries(settings).flatMap(([name, value]) => {
    const { isSecret } = schema[name] ?? {};
    if (isSecret === undefined) return [];
    const given =
      isSecret === true ? [value] : isSecret.map((it) => memberOf(value, it));
    return given.flatMap((it) => (typeof it === "string" ? formsOf(it) : []));
  });
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? Object.getOwnPropertyDescriptor(value, name)?.value
    : undefined;
}

function formsOf(text: string): string[] {
  return /^https?:/.test(text) ? secretsOfUrl(text) : [text];
}
