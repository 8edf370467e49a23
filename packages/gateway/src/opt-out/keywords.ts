/**
 * The words people send to stop texts, to get them again, or to ask for help,
 * in several languages. A word counts only when it is the whole text, and only
 * in the languages of its sender's country: what stops texts in one is an
 * everyday word in another.
 */

import { ConfigurationError } from "../errors.ts";
import { countryOf } from "../policy/country.ts";

/** What a person wants who sends a keyword. */
export type KeywordFamily = "stop" | "start" | "help";

/** A word of a family; `everywhere` if it means all senders, not only this. */
export interface Keyword {
  readonly family: KeywordFamily;
  readonly word: string;
  readonly everywhere: boolean;
}

/** A language that has keywords (ISO 639-1). */
export type KeywordLanguage =
  | "en"
  | "cs"
  | "da"
  | "de"
  | "es"
  | "fi"
  | "fr"
  | "it"
  | "nl"
  | "no"
  | "pl"
  | "pt"
  | "ru"
  | "sk"
  | "sv"
  | "tr";

type KeywordSet = Readonly<Record<KeywordFamily | "stopAll", string>>;

// Words of several parts are written without the space: it is dropped. English
// has besides its own what carriers look for everywhere: ARRET and TD stand in
// the default lists of AWS.
const KEYWORDS: Readonly<Record<KeywordLanguage, KeywordSet>> = {
  en: {
    stop: "STOP UNSUBSCRIBE CANCEL END QUIT OPTOUT REVOKE REMOVE ARRET TD",
    stopAll: "STOPALL UNSUBSCRIBEALL",
    start: "START UNSTOP YES SUBSCRIBE OPTIN",
    help: "HELP INFO",
  },
  cs: {
    stop: "KONEC ZRUŠIT ODHLÁSIT",
    stopAll: "ZRUŠITVŠE KONECVŠE",
    start: "PŘIHLÁSIT",
    help: "POMOC NÁPOVĚDA",
  },
  da: {
    stop: "AFMELD",
    stopAll: "AFMELDALLE",
    start: "TILMELD",
    help: "HJÆLP",
  },
  de: {
    stop: "STOPP ABMELDEN ABBESTELLEN KÜNDIGEN",
    stopAll: "ALLESABMELDEN ALLESTOPPEN",
    start: "ANMELDEN",
    help: "HILFE",
  },
  es: {
    stop: "ALTO PARAR BAJA CANCELAR",
    stopAll: "BAJATOTAL CANCELARTODO",
    start: "ALTA COMENZAR INICIAR",
    help: "AYUDA",
  },
  fi: {
    stop: "LOPETA PERU",
    stopAll: "LOPETAKAIKKI",
    start: "TILAA",
    help: "APUA",
  },
  fr: {
    stop: "ARRÊT ARRÊTER DÉSABONNER DÉSINSCRIRE",
    stopAll: "ARRÊTTOUT",
    start: "DÉBUT REPRENDRE",
    help: "AIDE",
  },
  it: {
    stop: "FERMA ANNULLA CANCELLA DISISCRIVI",
    stopAll: "FERMATUTTO",
    start: "INIZIA ISCRIVI",
    help: "AIUTO",
  },
  nl: {
    stop: "AFMELDEN STOPPEN",
    stopAll: "ALLESSTOPPEN",
    start: "AANMELDEN",
    help: "HULP",
  },
  no: {
    stop: "AVSLUTT STOPP",
    stopAll: "STOPPALLE",
    start: "MELDPÅ",
    help: "HJELP",
  },
  pl: {
    stop: "KONIEC REZYGNUJE",
    stopAll: "STOPWSZYSTKO",
    start: "ZAPISZ",
    help: "POMOC",
  },
  pt: {
    stop: "PARAR SAIR CANCELAR REMOVER",
    stopAll: "PARARTUDO",
    start: "COMEÇAR INICIAR",
    help: "AJUDA",
  },
  ru: {
    stop: "СТОП ОТПИСАТЬСЯ",
    stopAll: "СТОПВСЕ",
    start: "СТАРТ",
    help: "ПОМОЩЬ",
  },
  sk: {
    stop: "KONIEC ZRUŠIŤ ODHLÁSIŤ",
    stopAll: "ZRUŠIŤVŠETKO",
    start: "PRIHLÁSIŤ",
    help: "POMOC",
  },
  sv: {
    stop: "STOPPA AVSLUTA AVREGISTRERA",
    stopAll: "STOPPAALLA",
    start: "STARTA",
    help: "HJÄLP",
  },
  tr: {
    stop: "DUR İPTAL RED",
    stopAll: "TÜMÜNÜİPTAL",
    start: "BAŞLA",
    help: "YARDIM",
  },
};

/** All languages that have keywords of their own. */
export const KEYWORD_LANGUAGES: readonly KeywordLanguage[] = Object.freeze(
  // The keys of the table above, whose type the compiler does not carry.
  Object.keys(KEYWORDS) as KeywordLanguage[],
);

// Where the languages besides English are spoken (ISO 3166).
const COUNTRIES: Readonly<Record<Exclude<KeywordLanguage, "en">, string>> = {
  cs: "CZ",
  da: "DK FO GL",
  de: "AT BE CH DE LI LU",
  es: "AR BO CL CO CR CU DO EC ES GQ GT HN MX NI PA PE PR PY SV UY VE",
  fi: "FI",
  fr:
    "BE BF BI BJ CA CD CF CG CH CI CM DJ DZ FR GA GF GN GP HT KM LU MA MC MG " +
    "ML MQ NC NE PF PM RE RW SC SN TD TG TN VU WF",
  it: "CH IT SM",
  nl: "AW BE BQ CW NL SR SX",
  no: "NO",
  pl: "PL",
  pt: "AO BR CV GW MZ PT ST TL",
  ru: "BY KG KZ RU TJ",
  sk: "SK",
  sv: "FI SE",
  tr: "CY TR",
};

function languagesOf(number: string): readonly KeywordLanguage[] {
  const country = countryOf(number);
  if (country === undefined) return [];
  return KEYWORD_LANGUAGES.filter(
    (language) => language !== "en" && COUNTRIES[language].includes(country),
  );
}

/** Which words count as keywords. */
export interface KeywordOptions {
  /**
   * The languages for every number. By default those of the country that the
   * number's calling code stands for. English is always among them.
   */
  readonly languages?: readonly KeywordLanguage[];
  /** More words for a family, or words of another language; for all numbers. */
  readonly extra?: Partial<
    Record<KeywordFamily | "stopAll", readonly string[]>
  >;
}

/**
 * The keyword that a text is, undefined for any other text.
 *
 * @param number the sender's, in international digits: for the languages
 */
export type KeywordFinder = (
  text: string,
  number?: string,
) => Keyword | undefined;

/**
 * A function that recognises the keywords. Throws `ConfigurationError` for a
 * language that has none.
 */
export function createKeywordFinder(
  options: KeywordOptions = {},
): KeywordFinder {
  const { languages, extra = {} } = options;
  const unknown = languages?.find((l) => !KEYWORD_LANGUAGES.includes(l));
  if (unknown !== undefined) {
    throw new ConfigurationError(
      `There are no keywords in the language "${unknown}"; ` +
        `there are ${KEYWORD_LANGUAGES.join(", ")}`,
    );
  }
  const lexicons = new Map<string, Lexicon>();
  const lexiconOf = (chosen: readonly KeywordLanguage[]): Lexicon => {
    const key = chosen.join();
    let lexicon = lexicons.get(key);
    if (lexicon === undefined) {
      lexicon = buildLexicon(chosen, extra);
      lexicons.set(key, lexicon);
    }
    return lexicon;
  };
  return (text, number = "") => {
    // No keyword is near this long; do not fold whole letters.
    if (text.length > 100) return undefined;
    const word = foldKeyword(text);
    const keyword = lexiconOf(languages ?? languagesOf(number)).get(word);
    return keyword && { ...keyword, word };
  };
}

type Lexicon = ReadonlyMap<string, Omit<Keyword, "word">>;

function buildLexicon(
  languages: readonly KeywordLanguage[],
  extra: NonNullable<KeywordOptions["extra"]>,
): Lexicon {
  const found = new Map<string, Omit<Keyword, "word">>();
  const sets = new Set<KeywordLanguage>(["en", ...languages]);
  for (const kind of ["help", "start", "stop", "stopAll"] as const) {
    // In this order, so that where languages disagree stop wins.
    const family = kind === "stopAll" ? "stop" : kind;
    const words = [...sets].flatMap((l) => KEYWORDS[l][kind].split(" "));
    for (const word of [...words, ...(extra[kind] ?? [])]) {
      const keyword = { family, everywhere: kind === "stopAll" } as const;
      found.set(foldKeyword(word), keyword);
      found.set(foldKeyword(spellOut(word)), keyword);
    }
  }
  return found;
}

/** As people write who have no such letters: `KUENDIGEN` for `KÜNDIGEN`. */
function spellOut(word: string): string {
  return word
    .normalize("NFC")
    .toUpperCase()
    .replace(/[ÄÆ]/g, "AE")
    .replace(/[ÖØ]/g, "OE")
    .replace(/Ü/g, "UE")
    .replace(/Å/g, "AA");
}

/**
 * The form in which keywords are compared: capitals without accents, spaces
 * and punctuation, so that `“Stop.”` and `stop all` are found.
 */
export function foldKeyword(text: string): string {
  return text
    .normalize("NFKD")
    .toUpperCase()
    .replace(/Æ/g, "AE")
    .replace(/Ø/g, "O")
    .replace(/Ł/g, "L")
    .replace(/[^\p{L}\p{N}]/gu, "");
}
