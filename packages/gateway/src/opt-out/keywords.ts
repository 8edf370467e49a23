/**
 * The words people send to stop texts, to get them again, or to ask for help,
 * in several languages. A word counts only when it is the whole text.
 */

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

// Words of several parts are written without the space: it is dropped.
const KEYWORDS: Readonly<Record<KeywordLanguage, KeywordSet>> = {
  en: {
    stop: "STOP UNSUBSCRIBE CANCEL END QUIT OPTOUT REVOKE REMOVE",
    stopAll: "STOPALL UNSUBSCRIBEALL",
    start: "START UNSTOP YES SUBSCRIBE OPTIN",
    help: "HELP INFO",
  },
  cs: {
    stop: "KONEC ZRUSIT ODHLASIT",
    stopAll: "ZRUSITVSE KONECVSE",
    start: "PRIHLASIT",
    help: "POMOC NAPOVEDA",
  },
  da: {
    stop: "AFMELD",
    stopAll: "AFMELDALLE",
    start: "TILMELD",
    help: "HJAELP",
  },
  de: {
    stop: "STOPP ABMELDEN ABBESTELLEN KUENDIGEN",
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
    stop: "ARRET ARRETER DESABONNER DESINSCRIRE",
    stopAll: "ARRETTOUT",
    start: "DEBUT REPRENDRE",
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
    start: "MELDPA",
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
    start: "COMECAR INICIAR",
    help: "AJUDA",
  },
  ru: {
    stop: "СТОП ОТПИСАТЬСЯ",
    stopAll: "СТОПВСЕ",
    start: "СТАРТ",
    help: "ПОМОЩЬ",
  },
  sk: {
    stop: "KONIEC ZRUSIT ODHLASIT",
    stopAll: "ZRUSITVSETKO",
    start: "PRIHLASIT",
    help: "POMOC",
  },
  sv: {
    stop: "STOPPA AVSLUTA AVREGISTRERA",
    stopAll: "STOPPAALLA",
    start: "STARTA",
    help: "HJALP",
  },
  tr: {
    stop: "DUR IPTAL RED",
    stopAll: "TUMUNUIPTAL",
    start: "BASLA",
    help: "YARDIM",
  },
};

/** All languages that have keywords of their own. */
export const KEYWORD_LANGUAGES: readonly KeywordLanguage[] = Object.freeze(
  // The keys of the table above, whose type the compiler does not carry.
  Object.keys(KEYWORDS) as KeywordLanguage[],
);

/** Which words count as keywords. */
export interface KeywordOptions {
  /** Default: all. English is always among them. */
  readonly languages?: readonly KeywordLanguage[];
  /** More words, or words of another language, for a family. */
  readonly extra?: Partial<
    Record<KeywordFamily | "stopAll", readonly string[]>
  >;
}

/** A function that recognises the keywords; undefined for any other text. */
export function createKeywordFinder(
  options: KeywordOptions = {},
): (text: string) => Keyword | undefined {
  const { languages = KEYWORD_LANGUAGES, extra = {} } = options;
  const found = new Map<string, Omit<Keyword, "word">>();
  const sets = new Set<KeywordLanguage>(["en", ...languages]);
  for (const kind of ["help", "start", "stop", "stopAll"] as const) {
    // In this order, so that where languages disagree stop wins.
    const family = kind === "stopAll" ? "stop" : kind;
    const words = [...sets].flatMap((l) => KEYWORDS[l][kind].split(" "));
    for (const word of [...words, ...(extra[kind] ?? [])]) {
      found.set(foldKeyword(word), { family, everywhere: kind === "stopAll" });
    }
  }
  return (text) => {
    // No keyword is near this long; do not fold whole letters.
    if (text.length > 100) return undefined;
    const word = foldKeyword(text);
    const keyword = found.get(word);
    return keyword && { ...keyword, word };
  };
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
