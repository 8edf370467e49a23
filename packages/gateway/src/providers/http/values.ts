/** Values in what a carrier answers or calls with, found by their paths. */

import { answerText, type JsonObject } from "../../carrier-answer.ts";
import type { HttpResponse } from "../../http.ts";
import { parseXml, type XmlElement } from "../../xml.ts";
import type { PageAnswer, PageCondition, PagePath } from "./page.ts";

/** Finds values; texts, numbers and flags as text, `undefined` for others. */
export type Values = (path: PagePath) => string | undefined;

/** Longer answers in text are not looked at. */
const maxTextLength = 4096;

/** The values of an answer; `undefined`: it has another format. */
export function valuesOfAnswer(
  response: HttpResponse,
  { format, pattern = "" }: Pick<PageAnswer, "format" | "pattern">,
): Values | undefined {
  const { headers, body, status } = response;
  const withStatus =
    (values: Values): Values =>
    (path) =>
      path === "httpStatus" ? String(status) : values(path);
  try {
    switch (format) {
      case "json":
        return withStatus(valuesOfJson(JSON.parse(answerText(response))));
      case "xml":
        return withStatus(valuesOfXml(parseXml(body, headers["content-type"])));
      case "text": {
        const text = answerText(response).trim();
        if (text.length > maxTextLength) return undefined;
        const groups = new RegExp(pattern, "s").exec(text)?.groups;
        return groups && withStatus(valuesOfJson(groups));
      }
      default:
        return format satisfies never;
    }
  } catch {
    return undefined;
  }
}

/** `a.0.b`: members and entries; of a list or object itself there is no value. */
export function valuesOfJson(root: unknown): Values {
  return (path) => {
    const found = findInJson(root, path);
    return typeof found === "object" ? undefined : toText(found);
  };
}

/** Whatever is at a path of JSON. */
export function findInJson(root: unknown, path: PagePath): unknown {
  let found = root;
  for (const name of path.split(".")) {
    if (typeof found !== "object" || found === null) return undefined;
    if (!Object.hasOwn(found, name)) return undefined;
    found = (found as JsonObject)[name];
  }
  return found;
}

/** `a.b@c`: the root's name first; `@c` is an attribute. */
export function valuesOfXml(root: XmlElement): Values {
  return (path) => {
    const [names = "", attribute] = path.split("@");
    const [first, ...others] = names.split(".");
    if (first !== root.name) return undefined;
    let found: XmlElement | undefined = root;
    for (const name of others) {
      found = found?.children.find((child) => child.name === name);
    }
    return attribute === undefined
      ? found?.text.trim()
      : found?.attributes.get(attribute);
  };
}

/** Fields of a form. */
export function valuesOfForm(form: URLSearchParams): Values {
  return (path) => form.get(path) ?? undefined;
}

/** Whether all that a condition names holds. */
export function meets(values: Values, condition: PageCondition): boolean {
  return Object.entries(condition).every(([path, allowed]) =>
    allowed.includes(values(path) ?? ""),
  );
}

/** The values that are there, by our names for them. */
export function namedValues(
  values: Values,
  names: Readonly<Record<string, PagePath>> = {},
): Record<string, unknown> {
  const found = Object.entries(names).map(([ours, path]) => [
    ours,
    values(path),
  ]);
  return Object.fromEntries(
    found.filter(([, it]) => it !== undefined && it !== ""),
  );
}

function toText(value: unknown): string | undefined {
  return value === undefined || value === null ? undefined : String(value);
}
