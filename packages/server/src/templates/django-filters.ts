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
  /**
   * The filters of Liquid, without a bar in front; arguments are Liquid's.
   * Absent: there are none for this argument.
   */
  readonly write?: (
    argument: string | undefined,
    report: Report,
  ) => string | undefined;
}

/** Takes what there is no counterpart for. */
export type Report = (what: string) => void;

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
    liquid: "plus: x",
    note: "of whole numbers; a quoted text is put behind with append",
    write: toPlus,
  },
  capfirst: {
    ...same("capitalize"),
    note: "the other letters become lower case",
  },
  cut: withArgument("remove"),
  date: {
    liquid: 'date: "%d.%m.%Y"',
    note: "formats are those of strftime; the zone is UTC",
    write: (argument = '"N j, Y"', report) => toDate(argument, report),
  },
  default: withArgument("default"),
  default_if_none: {
    ...withArgument("default"),
    note: "stands in for an empty text, too",
  },
  dictsort: { liquid: "sort: x", write: toSort },
  dictsortreversed: {
    liquid: "sort: x | reverse",
    write: (argument) => {
      const sort = toSort(argument);
      return sort && `${sort} | reverse`;
    },
  },
  escape: same("escape"),
  first: same("first"),
  floatformat: {
    liquid: "round: 2",
    note: "zeros at the end are left out",
    write: (argument = "-1") => {
      const [, places] = /^["']?-?(\d{1,2})["']?$/.exec(argument) ?? [];
      return places && `round: ${places}`;
    },
  },
  force_escape: same("escape"),
  join: withArgument("join"),
  last: same("last"),
  length: same("size"),
  linebreaks: { ...same("newline_to_br"), note: "makes no paragraphs" },
  linebreaksbr: same("newline_to_br"),
  lower: same("downcase"),
  make_list: { liquid: 'split: ""', write: () => 'split: ""' },
  safe: {
    ...same("raw"),
    note: "moved to the end; not before linebreaks or escape",
  },
  slice: {
    liquid: "slice: 0, 5",
    note: "places from the start, without steps",
    write: toSlice,
  },
  slugify: { liquid: 'slugify: "django"', write: () => 'slugify: "django"' },
  striptags: same("strip_html"),
  time: {
    liquid: 'date: "%H:%M"',
    write: (argument = '"P"', report) => toDate(argument, report),
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
  F: "%B",
  y: "%y",
  Y: "%Y",
  g: "%-I",
  G: "%-H",
  h: "%I",
  H: "%H",
  i: "%M",
  s: "%S",
  u: "%6N",
  A: "%p",
  e: "UTC",
  T: "UTC",
  O: "%z",
  U: "%s",
  c: "%Y-%m-%dT%H:%M:%S%:z",
  r: "%a, %d %b %Y %H:%M:%S %z",
};

/** Those that are written in another way than Django writes them. */
const nearLetters: Readonly<
  Record<string, { readonly strftime: string; readonly note: string }>
> = {
  N: { strftime: "%b", note: "months have three letters and no full stop" },
  b: { strftime: "%b", note: "months begin with a capital letter" },
  a: { strftime: "%P", note: "am and pm have no full stops" },
  P: {
    strftime: "%-I:%M %P",
    note: "there is no noon, and am has no full stops",
  },
  f: { strftime: "%-I:%M", note: "full hours have minutes, too" },
};

/** Formats that have a name, as they are in English. */
const namedFormats: Readonly<Record<string, string>> = {
  DATE_FORMAT: "N j, Y",
  DATETIME_FORMAT: "N j, Y, P",
  SHORT_DATE_FORMAT: "m/d/Y",
  SHORT_DATETIME_FORMAT: "m/d/Y P",
  TIME_FORMAT: "P",
  YEAR_MONTH_FORMAT: "F Y",
  MONTH_DAY_FORMAT: "F j",
};

/** A quoted format of Django, quoted; of a variable there is none. */
export function toStrftime(
  argument: string,
  report: Report,
): string | undefined {
  const [, quote, given] = /^(["'])(.*)\1$/s.exec(argument) ?? [];
  if (quote === undefined || given === undefined) {
    report("a date format that is a variable: write it out");
    return undefined;
  }
  const format = namedFormats[given] ?? given;
  const written = format.replace(
    /\\(.)|[A-Za-z%]/gs,
    (letter, escaped?: string) => {
      if (escaped !== undefined) return escaped.replace("%", "%%");
      if (letter === "%") return "%%";
      const near = nearLetters[letter];
      if (near) report(`the letter ${letter} of a date format: ${near.note}`);
      const strftime = near?.strftime ?? dateLetters[letter];
      if (strftime === undefined) {
        report(`the letter ${letter} of a date format`);
      }
      return strftime ?? "";
    },
  );
  return `${quote}${written}${quote}`;
}

function toDate(argument: string, report: Report): string | undefined {
  const format = toStrftime(argument, report);
  return format && `date: ${format}`;
}

/** What is added to may be a number or a text; what is added tells which. */
function toPlus(argument = "0", report: Report): string | undefined {
  if (/^["']?-?\d+["']?$/.test(argument)) return `plus: ${argument}`;
  if (/^["']/.test(argument)) return `append: ${argument}`;
  report("the filter add with a variable: plus of numbers, append of texts");
  return `plus: ${argument}`;
}

/** By a member; places of lists have no counterpart. */
function toSort(argument = ""): string | undefined {
  return /^["'][A-Za-z_][\w.]*["']$/.test(argument)
    ? `sort: ${argument}`
    : undefined;
}

/** `3`, `":5"`, `"2:5"` and `"2:"`; a place from the end has no counterpart. */
function toSlice(argument = ""): string | undefined {
  const [, from, colon, to] =
    /^["']?(\d{0,9})(:?)(\d{0,9})["']?$/.exec(argument) ?? [];
  if (from === undefined || (colon === "" && from === "")) return undefined;
  const start = colon === "" ? 0 : Number(from);
  const end = colon === "" ? Number(from) : to ? Number(to) : start + 10_000;
  return `slice: ${start}, ${Math.max(end - start, 0)}`;
}
