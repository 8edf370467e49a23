/**
 * A carrier as a page of JSON: how a text is sent, what an answer means, and
 * how the carrier calls. What each part holds is explained in the guide "Any
 * carrier over HTTP"; the pages beside this file are examples.
 */

/** A carrier that a configuration describes. */
export interface CarrierPage {
  /** For people, in errors. */
  readonly title: string;
  /** What an account has, by name; used as `{settings.NAME}`. */
  readonly settings?: Readonly<Record<string, PageSetting>>;
  /** Where its addresses begin; a setting `baseUrl` wins. */
  readonly baseUrl: string;
  readonly send: PageRequest;
  readonly answer: PageAnswer;
  /** What it calls us with, below the provider's address. */
  readonly callbacks?: readonly PageCallback[];
  /** Codes of errors and of states in words. */
  readonly meanings?: Readonly<Record<string, string>>;
  /** For its whole text, in segments; as the gateway has it when absent. */
  readonly maxSegments?: number;
}

/** A text that an account has. */
export interface PageSetting {
  /** Completes "expected …". */
  readonly expected: string;
  readonly optional?: boolean;
  /** A regular expression for the whole of it. */
  readonly pattern?: string;
}

/** How a text is sent: every text of it is a template. */
export interface PageRequest {
  /** Default `POST`. */
  readonly method?: "GET" | "POST" | "PUT";
  /** Below `baseUrl`, with a slash at its beginning. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** User and password of HTTP basic authentication. */
  readonly basic?: { readonly user: string; readonly pass: string };
  /** One of these three at most. Fields whose values are absent are left out. */
  readonly form?: Readonly<Record<string, string>>;
  readonly json?: JsonTemplate;
  readonly body?: string;
  /** Of query and form. Default `utf-8`. */
  readonly charset?: "utf-8" | "iso-8859-1";
  /**
   * Raw parameters that a text may not give, besides the fields that are fixed:
   * other ways to say whom or what, or where the carrier reports.
   */
  readonly refusedParams?: readonly string[];
}

/** JSON whose texts are templates. */
export type JsonTemplate =
  | string
  | number
  | boolean
  | null
  | readonly JsonTemplate[]
  | { readonly [name: string]: JsonTemplate };

/** How an answer or a call is read. */
export type PageFormat = "json" | "xml" | "text" | "form";

/** Where a value is: in JSON `a.0.b`, in XML `a.b@c`, else a field's name. */
export type PagePath = string;

/** All that is named holds. */
export type PageCondition = Readonly<Record<PagePath, readonly string[]>>;

/** What an answer means. */
export interface PageAnswer {
  readonly format: Exclude<PageFormat, "form">;
  /** Of a text: a regular expression whose named groups are the fields. */
  readonly pattern?: string;
  /**
   * With it the carrier took the text; absent: every answer of success that has
   * an `id` says so. `httpStatus` is the HTTP status.
   */
  readonly accepted?: PageCondition;
  /**
   * Absent, or nothing there: the text's id is the one that was sent as `id`; no
   * receipt is expected where none was sent.
   */
  readonly id?: PagePath;
  /** Whether an accepted text must have an id. Default: where `id` is given. */
  readonly idRequired?: boolean;
  /** How many segments it counted. */
  readonly parts?: PagePath;
  /** What else is kept, by our name for it. */
  readonly meta?: Readonly<Record<string, PagePath>>;
  readonly error?: {
    /**
     * Of several paths the first whose value `errors` lists. An answer of success
     * refuses a text only with a code that is listed.
     */
    readonly code?: PagePath | readonly PagePath[];
    readonly message?: PagePath;
    /** A list whose entries stand in the message as `%1`, `%2`. */
    readonly variables?: PagePath;
  };
  /** The first that fits. */
  readonly errors?: readonly PageError[];
}

/** Names of the gateway's classes of errors. */
export const errorNames = [
  "MessageSendError",
  "RequestError",
  "UnsupportedError",
  "ServerError",
  "AuthError",
  "LimitsError",
  "CreditError",
] as const;

/** A class of errors; all that is given must hold. */
export interface PageError {
  readonly codes?: readonly string[];
  /** First and last code, both in it, as numbers. */
  readonly range?: readonly [string, string];
  /** HTTP status. */
  readonly status?: readonly number[];
  /** A regular expression for the carrier's words; capitals do not matter. */
  readonly words?: string;
  readonly is: (typeof errorNames)[number];
  /** Whether the same text may be sent again; default: as the class has it. */
  readonly retry?: boolean;
}

/** What is told about a text. */
export const stateNames = [
  "accepted",
  "delivered",
  "expired",
  "failed",
  "unknown",
  "ignored",
] as const;

/** Calls of the carrier to one address. */
export interface PageCallback {
  /** Below the provider's address, as `/status`. */
  readonly path: string;
  /** Default POST alone. */
  readonly methods?: readonly ("GET" | "POST")[];
  /** A form also has the fields of the query, which win. */
  readonly format: "json" | "form";
  /** Of a form's escapes. Default `utf-8`. */
  readonly charset?: "utf-8" | "iso-8859-1";
  readonly authenticate?: PageAuthentication;
  /** The first whose condition holds. */
  readonly cases: readonly PageCase[];
  /** Default 200 and `OK`. `{fields.NAME}` is a field of the call. */
  readonly reply?: { readonly type?: string; readonly body: string };
}

/**
 * Who may call; values are templates. With none of them the address is the only
 * secret. A setting that is absent leaves its check out.
 */
export interface PageAuthentication {
  /** A field that must have this value. */
  readonly field?: { readonly path: PagePath; readonly value: string };
  readonly basic?: { readonly user: string; readonly pass: string };
  /** A header with a JWT, signed by HMAC-SHA256 with this key. */
  readonly jwt?: { readonly header: string; readonly key: string };
}

/** What one kind of call says. */
export interface PageCase {
  /** `settings.NAME` is what the account has. */
  readonly when?: PageCondition;
  /** Fields that must be there for this case. */
  readonly has?: readonly PagePath[];
  readonly status?: {
    readonly id: PagePath;
    readonly state: PagePath;
    /** The carrier's words, in any capitals, in ours. */
    readonly states: Readonly<Record<string, (typeof stateNames)[number]>>;
    /** For words that are not there. Default `unknown`. */
    readonly otherwise?: (typeof stateNames)[number];
    /** The carrier's code; default: the word of the state. */
    readonly code?: PagePath;
    /** The carrier's words; default: the word of the state. */
    readonly text?: readonly PagePath[];
    readonly at?: PageMoment;
    readonly meta?: Readonly<Record<string, PagePath>>;
  };
  readonly message?: {
    readonly from: PagePath;
    /** Joined by blanks, those that are there. */
    readonly text: PagePath | readonly PagePath[];
    readonly to?: PagePath;
    readonly id?: PagePath;
    readonly at?: PageMoment;
    readonly meta?: Readonly<Record<string, PagePath>>;
  };
}

/** When something was, in seconds or milliseconds since 1970. */
export interface PageMoment {
  readonly path: PagePath;
  readonly unit: "s" | "ms";
}
