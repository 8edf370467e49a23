/** Searches for resources by their tags, as the cloud's tag service writes them. */

import {
  CarillonError,
  createResourceFilter,
  maxTaggedResources,
  type ResourceFilter,
  type ResourceQuery,
  type TagPatternRequest,
} from "@carillon/core";

/**
 * Reads the body of `resource_instances/action`.
 *
 * @throws CarillonError TAG_ACTION_INVALID, PAGE_INVALID,
 * RESOURCE_FILTER_INVALID
 */
export function readResourceQuery(body: unknown): ResourceQuery {
  // Of what is no object there are no members, and so no action.
  const members = (body ?? {}) as Record<string, unknown>;
  switch (members.action) {
    case "count":
      return { action: "count", filter: readResourceFilter(members) };
    case "filter":
      return {
        action: "filter",
        filter: readResourceFilter(members),
        page: {
          offset: readCount(members.offset, 0, 0, Number.MAX_SAFE_INTEGER),
          limit: readCount(
            members.limit,
            maxTaggedResources,
            1,
            maxTaggedResources,
          ),
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
export function readResourceFilter(
  members: Readonly<Record<string, unknown>>,
): ResourceFilter {
  const withoutAnyTag = members.without_any_tag ?? false;
  if (typeof withoutAnyTag !== "boolean") {
    throw invalid("without_any_tag is true or false");
  }
  return createResourceFilter({
    tags: readPatterns(members.tags),
    tagsAny: readPatterns(members.tags_any),
    notTags: readPatterns(members.not_tags),
    notTagsAny: readPatterns(members.not_tags_any),
    withoutAnyTag,
    name: readName(members.matches),
  });
}

function readPatterns(body: unknown): readonly TagPatternRequest[] {
  const entries = toList(body);
  if (!entries) throw invalid("tags come in lists");
  return entries.map((entry) => {
    const { key, values } = (entry ?? {}) as Record<string, unknown>;
    const list = toList(values);
    if (!list) throw invalid("the values of a key come in a list");
    return { key, values: list };
  });
}

function readName(body: unknown): string | undefined {
  const entries = toList(body);
  if (!entries || entries.length > 1) {
    throw invalid("matches is a list of at most one entry");
  }
  if (entries.length === 0) return undefined;
  const { key, value = "" } = (entries[0] ?? {}) as Record<string, unknown>;
  if (key === "resource_name" && typeof (value ?? "") === "string") {
    return (value as string | null) ?? undefined;
  }
  throw invalid("matches has the key resource_name and a text as value");
}

/** A whole number, as SMN's decimal text or as a number. */
function readCount(
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
    `Invalid page: offset is 0 or more, limit 1 to ${maxTaggedResources}.`,
  );
}

/** Absent is empty; `undefined` when it is no list. */
function toList(body: unknown): readonly unknown[] | undefined {
  if (body === undefined || body === null) return [];
  return Array.isArray(body) ? body : undefined;
}

function invalid(rule: string): CarillonError {
  return new CarillonError(
    "RESOURCE_FILTER_INVALID",
    `Invalid filter: ${rule}.`,
  );
}
