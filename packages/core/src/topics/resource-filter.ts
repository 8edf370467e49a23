/**
 * Finds resources by their tags and name: the filters of SMN's
 * `resource_instances/action`, read once and held against each resource.
 */

import { CarillonError } from "../errors.ts";
import type { PageRequest } from "../ports/page.ts";
import { isTagText, type ResourceTag } from "./resource-tag.ts";

/** What `resource_instances/action` is asked to do. */
export type ResourceQuery =
  | {
      readonly action: "filter";
      readonly filter: ResourceFilter;
      readonly page: PageRequest;
    }
  | { readonly action: "count"; readonly filter: ResourceFilter };

/** Empty lists and absent members do not constrain. */
export interface ResourceFilter {
  /** The resource has all of these. */
  readonly tags: readonly TagPattern[];
  /** The resource has at least one of these. */
  readonly tagsAny: readonly TagPattern[];
  /** The resource lacks at least one of these. */
  readonly notTags: readonly TagPattern[];
  /** The resource has none of these. */
  readonly notTagsAny: readonly TagPattern[];
  /** The resource has no tags at all; the four lists do not count then. */
  readonly withoutAnyTag: boolean;
  /** The resource's exact name. */
  readonly name?: string;
}

/** A tag of this key whose value fits; any value when both lists are empty. */
export interface TagPattern {
  readonly key: string;
  readonly equals: ReadonlySet<string>;
  /** From values that start with a star: the value contains what follows. */
  readonly contains: readonly string[];
}

/** What a filter looks at. */
export interface TaggedResource {
  readonly name: string;
  readonly tags: readonly ResourceTag[];
}

/** Keys per list, and values per key. */
const maxKeys = 20;
const maxValues = 20;

/** Default and upper bound of `limit`. */
const maxResources = 1000;

/**
 * Checks the body of `resource_instances/action`.
 *
 * @throws CarillonError TAG_ACTION_INVALID, PAGE_INVALID,
 * RESOURCE_FILTER_INVALID
 */
export function parseResourceQuery(body: unknown): ResourceQuery {
  const members = (body ?? {}) as Record<string, unknown>;
  switch (members.action) {
    case "count":
      return { action: "count", filter: parseResourceFilter(members) };
    case "filter":
      return {
        action: "filter",
        filter: parseResourceFilter(members),
        page: {
          offset: parseCount(members.offset, 0, 0, Number.MAX_SAFE_INTEGER),
          limit: parseCount(members.limit, maxResources, 1, maxResources),
        },
      };
    default:
      throw new CarillonError(
        "TAG_ACTION_INVALID",
        "Invalid action: filter or count.",
      );
  }
}

/** @throws CarillonError RESOURCE_FILTER_INVALID */
export function parseResourceFilter(
  members: Readonly<Record<string, unknown>>,
): ResourceFilter {
  const withoutAnyTag = members.without_any_tag ?? false;
  if (typeof withoutAnyTag !== "boolean") {
    throw invalid("without_any_tag is true or false");
  }
  const name = parseName(members.matches);
  return {
    tags: parsePatterns(members.tags),
    tagsAny: parsePatterns(members.tags_any),
    notTags: parsePatterns(members.not_tags),
    notTagsAny: parsePatterns(members.not_tags_any),
    withoutAnyTag,
    ...(name !== undefined && { name }),
  };
}

export function matchesResource(
  filter: ResourceFilter,
  resource: TaggedResource,
): boolean {
  if (filter.name !== undefined && filter.name !== resource.name) return false;
  if (filter.withoutAnyTag) return resource.tags.length === 0;
  const has = (pattern: TagPattern) =>
    resource.tags.some((tag) => fits(pattern, tag));
  const { tags, tagsAny, notTags, notTagsAny } = filter;
  return (
    tags.every(has) &&
    (tagsAny.length === 0 || tagsAny.some(has)) &&
    (notTags.length === 0 || !notTags.every(has)) &&
    !notTagsAny.some(has)
  );
}

function fits(pattern: TagPattern, { key, value }: ResourceTag): boolean {
  const { equals, contains } = pattern;
  return (
    key === pattern.key &&
    ((equals.size === 0 && contains.length === 0) ||
      equals.has(value) ||
      contains.some((part) => value.includes(part)))
  );
}

function parsePatterns(list: unknown): TagPattern[] {
  const entries = toList(list);
  if (!entries || entries.length > maxKeys) {
    throw invalid(`each list of tags has at most ${maxKeys} entries`);
  }
  const patterns = entries.map(parsePattern);
  if (new Set(patterns.map(({ key }) => key)).size < patterns.length) {
    throw invalid("keys are different within a list");
  }
  return patterns;
}

function parsePattern(entry: unknown): TagPattern {
  const { key, values: list } = (entry ?? {}) as Record<string, unknown>;
  if (!isTagText(key, 1, 128)) {
    throw invalid("a key is a text of 1 to 128 characters");
  }
  const values = toList(list);
  if (
    !values ||
    values.length > maxValues ||
    // One more than a value may have, for the star.
    !values.every((value) => isTagText(value, 0, 256)) ||
    new Set(values).size < values.length
  ) {
    throw invalid(
      `values are at most ${maxValues} different texts of at most 255 characters`,
    );
  }
  return {
    key,
    equals: new Set(values.filter((value) => !value.startsWith("*"))),
    contains: values
      .filter((value) => value.startsWith("*"))
      .map((value) => value.slice(1)),
  };
}

/** An empty name does not constrain. */
function parseName(matches: unknown): string | undefined {
  const entries = toList(matches);
  if (!entries || entries.length > 1) {
    throw invalid("matches is a list of at most one entry");
  }
  if (entries.length === 0) return undefined;
  const { key, value } = (entries[0] ?? {}) as Record<string, unknown>;
  if (key !== "resource_name" || typeof (value ?? "") !== "string") {
    throw invalid("matches has the key resource_name and a text as value");
  }
  return (value as string | undefined) || undefined;
}

/** A whole number, as SMN's decimal text or as a number. */
function parseCount(
  value: unknown,
  absent: number,
  min: number,
  max: number,
): number {
  if (value === undefined || value === null) return absent;
  const count =
    typeof value === "string" && /^\d{1,15}$/.test(value)
      ? Number(value)
      : value;
  if (
    typeof count === "number" &&
    Number.isInteger(count) &&
    count >= min &&
    count <= max
  ) {
    return count;
  }
  throw new CarillonError(
    "PAGE_INVALID",
    `Invalid page: offset is 0 or more, limit 1 to ${maxResources}.`,
  );
}

/** Absent is empty; `undefined` when it is no list. */
function toList(list: unknown): readonly unknown[] | undefined {
  if (list === undefined || list === null) return [];
  return Array.isArray(list) ? list : undefined;
}

function invalid(rule: string): CarillonError {
  return new CarillonError(
    "RESOURCE_FILTER_INVALID",
    `Invalid filter: ${rule}.`,
  );
}
