/**
 * Finds resources by their tags and name: a filter is made once and held
 * against each resource.
 */

import { CarillonError } from "../errors.ts";
import type { PageRequest } from "../ports/page.ts";
import { isTagText, type ResourceTag } from "./resource-tag.ts";

/** What is asked about resources and their tags. */
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

/** Upper bound of a page, and its default. */
export const maxTaggedResources = 1000;

/** A filter as it is asked for; unchecked. Absent members do not constrain. */
export interface ResourceFilterRequest {
  readonly tags?: readonly TagPatternRequest[];
  readonly tagsAny?: readonly TagPatternRequest[];
  readonly notTags?: readonly TagPatternRequest[];
  readonly notTagsAny?: readonly TagPatternRequest[];
  readonly withoutAnyTag?: boolean;
  /** An empty one does not constrain. */
  readonly name?: string | undefined;
}

/** A key and the values it may have, as a client sends them; unchecked. */
export interface TagPatternRequest {
  readonly key: unknown;
  /** Empty: any. A star in front: the value contains what follows. */
  readonly values: readonly unknown[];
}

/**
 * Checks a filter by tags and name.
 *
 * @throws CarillonError RESOURCE_FILTER_INVALID
 */
export function createResourceFilter(
  request: ResourceFilterRequest,
): ResourceFilter {
  const { tags, tagsAny, notTags, notTagsAny, withoutAnyTag, name } = request;
  return {
    tags: toPatterns(tags),
    tagsAny: toPatterns(tagsAny),
    notTags: toPatterns(notTags),
    notTagsAny: toPatterns(notTagsAny),
    withoutAnyTag: withoutAnyTag ?? false,
    ...(name && { name }),
  };
}

/** Whether a resource has the name and the tags that a filter asks for. */
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

function toPatterns(requests: readonly TagPatternRequest[] = []): TagPattern[] {
  if (requests.length > maxKeys) {
    throw invalid(`each list of tags has at most ${maxKeys} entries`);
  }
  const patterns = requests.map(toPattern);
  if (new Set(patterns.map(({ key }) => key)).size < patterns.length) {
    throw invalid("keys are different within a list");
  }
  return patterns;
}

function toPattern({ key, values }: TagPatternRequest): TagPattern {
  if (!isTagText(key, 1, 128)) {
    throw invalid("a key is a text of 1 to 128 characters");
  }
  if (
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

function invalid(rule: string): CarillonError {
  return new CarillonError(
    "RESOURCE_FILTER_INVALID",
    `Invalid filter: ${rule}.`,
  );
}
