/**
 * Django's filters and the letters of its date formats in Liquid: the table that
 * translates and that the guide shows.
 */

/** How a filter of Django is written in Liquid. */
export interface DjangoFilter {
  /** Its counterpart, for people; absent: there is none. */
  readonly liquid?: string;
  /** What is different, or what to do instead. */
  readonly note?: string;
  /** The filters of Liquid, without a bar in front; arguments are Liquid's. */
  readonly write?: (argument: string | undefined) => string;
}

const same = (name: string): DjangoFilter => ({
  liquid: name,
  write: () => name,
});

const withArgument = (name: string): DjangoFilter => ({
  liquid: `${name}: x`,
  write: (argument = '""') => `${name}: ${argument}`,
});

export const djangoFilters: Readonly<Record<string, DjangoFilter>> = {
  add: {
    ...withArgument("plus"),
    note: "of numbers; texts are put together with append",
  },
  capfirst: {
    ...same("capitalize"),
    note: "the other letters become lower case",
  },
  cut: withArgument("remove"),
  date: {
    liquid: 'date: "%d.%m.%Y"',
    note: "formats are those of strftime; the zone is UTC",
    write: (argument = '"N j, Y"') => `date: ${toStrftime(argument)}`,
  },
  default: withArgument("default"),
  default_if_none: {
    ...withArgument("default"),
    note: "stands in for an empty text, too",
  },
  dictsort: withArgument("sort"),
  dictsortreversed: {
    liquid: "sort: x | reverse",
    write: (argument = '""') => `sort: ${argument} | reverse`,
  },
  escape: same("escape"),
  first: same("first"),
  floatformat: {
    liquid: "round: 2",
    note: "zeros at the end are left out",
    write: (argument = "1") => `round: ${argument.replace(/["'-]/g, "")}`,
  },
  force_escape: same("escape"),
  join: withArgument("join"),
  last: same("last"),
  length: same("size"),
  linebreaks: { ...same("newline_to_br"), note: "makes no paragraphs" },
  linebreaksbr: same("newline_to_br"),
  lower: same("downcase"),
  make_list: { liquid: 'split: ""', write: () => 'split: ""' },
  safe: { ...same("raw"), note: "only where it is the last filter" },
  slice: {
    liquid: "slice: 0, 5",
    note: "from the start of the list or text to a place",
    write: (argument = '"0"') => toSlice(argument),
  },
  slugify: { liquid: 'slugify: "latin"', write: () => 'slugify: "latin"' },
  striptags: same("strip_html"),
  time: {
    liquid: 'date: "%H:%M"',
    write: (argument = '"H:i"') => `date: ${toStrftime(argument)}`,
  },
  truncatechars: {
    liquid: 'truncate: 20, "…"',
    write: (argument = "20") => `truncate: ${argument}, "…"`,
  },
  truncatewords: {
    liquid: 'truncatewords: 5, " …"',
    note: "the mark follows also where nothing was cut off",
    write: (argument = "5") => `truncatewords: ${argument}, " …"`,
  },
  upper: same("upcase"),
  urlencode: { ...same("url_encode"), note: "a blank becomes a plus" },
  wordcount: same("number_of_words"),
  addslashes: {},
  center: {},
  divisibleby: { note: "compare what modulo gives with 0" },
  escapejs: {},
  filesizeformat: {},
  get_digit: {},
  iriencode: {},
  json_script: {},
  length_is: { note: "compare what size gives" },
  linenumbers: {},
  ljust: {},
  phone2numeric: {},
  pluralize: { note: "use if, or give the word in the context" },
  pprint: {},
  random: {},
  rjust: {},
  safeseq: {},
  stringformat: {},
  timesince: {},
  timeuntil: {},
  title: {},
  truncatechars_html: {},
  truncatewords_html: {},
  unordered_list: {},
  urlize: {},
  urlizetrunc: {},
  wordwrap: {},
  yesno: { note: "use if" },
};

/** Letters of Django's formats; those that are not here have no counterpart. */
export const dateLetters: Readonly<Record<string, string>> = {
  d: "%d",
  j: "%-d",
  D: "%a",
  l: "%A",
  S: "%q",
  w: "%w",
  z: "%-j",
  m: "%m",
  n: "%-m",
  M: "%b",
  b: "%b",
  N: "%b",
  F: "%B",
  y: "%y",
  Y: "%Y",
  o: "%Y",
  g: "%-I",
  G: "%-H",
  h: "%I",
  H: "%H",
  i: "%M",
  s: "%S",
  u: "%6N",
  a: "%P",
  A: "%p",
  P: "%-I:%M %P",
  f: "%-I:%M",
  e: "%Z",
  T: "%Z",
  O: "%z",
  U: "%s",
  c: "%Y-%m-%dT%H:%M:%S%:z",
  r: "%a, %d %b %Y %H:%M:%S %z",
  DATE_FORMAT: "%b %-d, %Y",
  DATETIME_FORMAT: "%b %-d, %Y, %-I:%M %P",
  SHORT_DATE_FORMAT: "%m/%d/%Y",
  SHORT_DATETIME_FORMAT: "%m/%d/%Y %-I:%M %P",
  TIME_FORMAT: "%-I:%M %P",
};

/** A quoted format of Django, quoted; a variable stays what it is. */
export function toStrftime(argument: string): string {
  const [, quote, format] = /^(["'])(.*)\1$/s.exec(argument) ?? [];
  if (quote === undefined || format === undefined) return argument;
  const named = /^[A-Z_]{2,}_FORMAT$/.test(format)
    ? dateLetters[format]
    : undefined;
  const written =
    named ??
    format.replace(/\\(.)|[A-Za-z%]/gs, (letter, escaped?: string) =>
      escaped !== undefined
        ? escaped.replace("%", "%%")
        : letter === "%"
          ? "%%"
          : (dateLetters[letter] ?? letter),
    );
  return `${quote}${written}${quote}`;
}

/** `":5"`, `"2:5"` and `"2:"`; a place from the end has no counterpart. */
function toSlice(argument: string): string {
  const [, from, to] = /^["'](\d{0,9}):(\d{0,9})["']$/.exec(argument) ?? [];
  const start = Number(from ?? 0);
  const end = to ? Number(to) : start + 10_000;
  return `slice: ${start}, ${Math.max(end - start, 0)}`;
}
