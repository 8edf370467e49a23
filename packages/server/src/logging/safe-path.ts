/**
 * Paths of requests as the log has them: without what lets somebody act or be
 * called. Never the query.
 */

/** Parameters that name things of ours; all others may be secrets or numbers. */
const isName = /^(\w*(_id|Id|_urn|Urn)|accessKey|name|mailbox|code)$/;

/** What such a name may look like: no phone number, no mail address. */
const isNameLike = /^(?!\d{5,15}$)[A-Za-z0-9:_.~-]{1,512}$/;

const hidden = "***";

/** Answers the path of a URL that led to a route. */
export type SafePath = (url: string) => string;

/** @param route the pattern, such as `/c/:token` */
export function createSafePath(route: string): SafePath {
  if (route.includes("*")) return () => route;
  const segments = route.split("/").map((segment) => {
    const names = [...segment.matchAll(/(?<!:):(\w+)/g)].map(
      ([, name = ""]) => name,
    );
    if (names.length === 0) return undefined;
    return names.every((name) => isName.test(name)) ? hideUnlike : hide;
  });
  if (segments.every((segment) => segment === undefined)) return pathOf;
  return (url) =>
    pathOf(url)
      .split("/")
      .map((segment, at) => segments[at]?.(segment) ?? segment)
      .join("/");
}

/**
 * Of paths that led nowhere: only words stay that stand in routes.
 *
 * @param words the fixed segments of all routes
 */
export function createUnknownPath(words: ReadonlySet<string>): SafePath {
  return (url) =>
    pathOf(url)
      .slice(0, 512)
      .split("/")
      .map((segment) => (words.has(segment) ? segment : hide(segment)))
      .join("/");
}

function pathOf(url: string): string {
  const end = url.search(/[?#;]/);
  return end < 0 ? url : url.slice(0, end);
}

function hide(segment: string): string {
  return segment === "" ? "" : hidden;
}

function hideUnlike(segment: string): string {
  return segment === "" || isNameLike.test(segment) ? segment : hidden;
}
