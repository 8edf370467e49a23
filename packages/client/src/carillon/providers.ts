/** Carriers that texts go through; for operators. */

import type { Api } from "../api.ts";
import {
  findNumber,
  findText,
  findTexts,
  isObject,
  type JsonObject,
  readBoolean,
  readObject,
  readObjects,
  readText,
} from "../json.ts";
import type { RequestOptions } from "../transport.ts";

/** What became of requests to a carrier. */
export interface AttemptCounts {
  readonly attempts: number;
  readonly accepted: number;
  readonly failed: number;
  /** They may have gone out. */
  readonly unknown: number;
}

/** All failures of one code and class. */
export interface ProviderFailures extends JsonObject {
  /** The carrier's own; absent: it gave none. */
  readonly code?: string | undefined;
  /** Such as `AuthError`; `receipt`: of texts that were accepted before. */
  readonly errorClass: string;
  /** In words. */
  readonly meaning: string;
  readonly count: number;
  /** UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`. */
  readonly lastAt: string;
}

/** What is left on an account, or why that is not known. */
export interface ProviderBalance extends JsonObject {
  readonly amount?: number | undefined;
  readonly currency?: string | undefined;
  readonly problem?: string | undefined;
  readonly at: string;
}

/** Who paused a provider, and why. */
export interface ProviderPause extends JsonObject {
  readonly at: string;
  readonly userName: string;
  readonly reason?: string | undefined;
}

/** A provider, as the node that answers has counted since its start. */
export interface ProviderSummary extends JsonObject {
  readonly name: string;
  /** Such as `twilio`. */
  readonly type: string;
  /** `ok`, `failing`, `paused`, `not_started` or `removed`. */
  readonly state: string;
  readonly isDefault: boolean;
  /** Rules of the delivery policy that name it. */
  readonly rules: readonly string[];
  /** `closed`, `open` or `half-open`; absent: there is no delivery policy. */
  readonly breaker?: string | undefined;
  readonly pause?: ProviderPause | undefined;
  readonly lastFiveMinutes: AttemptCounts;
  readonly lastHour: AttemptCounts;
  readonly sinceStart: AttemptCounts;
  readonly lastAcceptedAt?: string | undefined;
  readonly latencyMs?:
    | { readonly p50: number; readonly p95: number; readonly max: number }
    | undefined;
  readonly receipts: {
    readonly seen: number;
    /** Of the newest 2,000 texts, those with a receipt to come. */
    readonly expected: number;
    /** Those of them that got one after which none comes. */
    readonly final: number;
  };
  readonly lastError?: ProviderFailures | undefined;
  /** Absent: it was not asked for, or the carrier cannot say. */
  readonly balance?: ProviderBalance | undefined;
}

/** Where a carrier calls. */
export interface ProviderCallback {
  readonly methods: readonly string[];
  readonly url: string;
}

/** How it is heard what became of texts. */
export interface ProviderReports extends JsonObject {
  /**
   * `known`: the carrier can call; `unknown`: it could, if it were told where;
   * `none`: it never calls.
   */
  readonly callbacks: string;
  /** From the acceptance to the first question; absent: it is not asked. */
  readonly askedAfterMs?: number | undefined;
}

/** What came of resuming a provider. */
export interface ResumedProvider extends JsonObject {
  /** `false`: it was not paused, and nothing changed. */
  readonly wasPaused: boolean;
  /** Absent: it was removed meanwhile. */
  readonly provider?: ProviderSummary | undefined;
}

/** All that is known of a provider. */
export interface ProviderDetails extends ProviderSummary {
  /** The one seen last first. */
  readonly errors: readonly ProviderFailures[];
  /** With `***` for the secret that lets carriers in; none: see `reports`. */
  readonly callbacks: readonly ProviderCallback[];
  readonly reports: ProviderReports;
  /** With `***` for what is secret. */
  readonly settings: JsonObject;
}

/** What a test is sent to. */
export interface ProviderTest {
  /** In international form. */
  readonly recipient: string;
  /** Default: that it is a test. */
  readonly text?: string | undefined;
}

/** Shows, pauses, resumes and tests providers. */
export interface Providers {
  /** As configured. With `balance` each carrier is asked for it. */
  list(
    query?: { readonly balance?: boolean | undefined },
    options?: RequestOptions,
  ): Promise<readonly ProviderSummary[]>;
  get(name: string, options?: RequestOptions): Promise<ProviderDetails>;
  /** Where its carrier calls, with the secret. Stands in the audit log. */
  reveal(
    name: string,
    options?: RequestOptions,
  ): Promise<readonly ProviderCallback[]>;
  /**
   * Sends a real text through exactly this one; answers the message's id, by
   * which `messages` tells what became of it.
   */
  test(
    name: string,
    test: ProviderTest,
    options?: RequestOptions,
  ): Promise<{ readonly messageId: string }>;
  /** It gets no new text until it is resumed. A reason replaces the one before. */
  pause(
    name: string,
    reason?: string,
    options?: RequestOptions,
  ): Promise<ProviderSummary>;
  /** What waited for it goes on. */
  resume(name: string, options?: RequestOptions): Promise<ResumedProvider>;
}

export function createProviders(api: Api): Providers {
  return {
    async list({ balance } = {}, options) {
      const query = { balance: balance ? "true" : undefined };
      const request = { method: "GET", path: ["providers"], query } as const;
      const { body } = await api(request, options);
      return readObjects(body, "providers").map(toSummary);
    },
    async get(name, options) {
      const path = ["providers", name];
      const { body } = await api({ method: "GET", path }, options);
      return {
        ...toSummary(body),
        errors: readObjects(body, "errors").map(toFailures),
        callbacks: toCallbacks(body),
        reports: toReports(readObject(body, "reports")),
        settings: readObject(body, "settings"),
      };
    },
    async reveal(name, options) {
      const path = ["providers", name, "reveal"];
      return toCallbacks((await api({ method: "POST", path }, options)).body);
    },
    async test(name, body, options) {
      const path = ["providers", name, "test"];
      const answer = await api({ method: "POST", path, body }, options);
      return { messageId: readText(answer.body, "messageId") };
    },
    async pause(name, reason, options) {
      const path = ["providers", name, "pause"];
      const request = {
        method: "POST",
        path,
        body: { reason },
        isIdempotent: true,
      } as const;
      return toSummary((await api(request, options)).body);
    },
    async resume(name, options) {
      const path = ["providers", name, "resume"];
      const request = { method: "POST", path, isIdempotent: true } as const;
      const { body } = await api(request, options);
      const { provider } = body;
      return {
        ...body,
        wasPaused: readBoolean(body, "wasPaused"),
        provider: isObject(provider) ? toSummary(provider) : undefined,
      };
    },
  };
}

function toReports(body: JsonObject): ProviderReports {
  return {
    ...body,
    callbacks: readText(body, "callbacks"),
    askedAfterMs: findNumber(body, "askedAfterMs"),
  };
}

function toSummary(body: JsonObject): ProviderSummary {
  const { pause, latencyMs, lastError, balance } = body;
  const receipts = readObject(body, "receipts");
  return {
    ...body,
    name: readText(body, "name"),
    type: readText(body, "type"),
    state: readText(body, "state"),
    isDefault: readBoolean(body, "isDefault"),
    rules: findTexts(body, "rules"),
    breaker: findText(body, "breaker"),
    pause: isObject(pause)
      ? {
          ...pause,
          at: readText(pause, "at"),
          userName: readText(pause, "userName"),
          reason: findText(pause, "reason"),
        }
      : undefined,
    lastFiveMinutes: toCounts(readObject(body, "lastFiveMinutes")),
    lastHour: toCounts(readObject(body, "lastHour")),
    sinceStart: toCounts(readObject(body, "sinceStart")),
    lastAcceptedAt: findText(body, "lastAcceptedAt"),
    latencyMs: isObject(latencyMs)
      ? {
          p50: findNumber(latencyMs, "p50") ?? 0,
          p95: findNumber(latencyMs, "p95") ?? 0,
          max: findNumber(latencyMs, "max") ?? 0,
        }
      : undefined,
    receipts: {
      seen: findNumber(receipts, "seen") ?? 0,
      expected: findNumber(receipts, "expected") ?? 0,
      final: findNumber(receipts, "final") ?? 0,
    },
    lastError: isObject(lastError) ? toFailures(lastError) : undefined,
    balance: isObject(balance)
      ? {
          ...balance,
          amount: findNumber(balance, "amount"),
          currency: findText(balance, "currency"),
          problem: findText(balance, "problem"),
          at: readText(balance, "at"),
        }
      : undefined,
  };
}

function toCounts(counts: JsonObject): AttemptCounts {
  return {
    attempts: findNumber(counts, "attempts") ?? 0,
    accepted: findNumber(counts, "accepted") ?? 0,
    failed: findNumber(counts, "failed") ?? 0,
    unknown: findNumber(counts, "unknown") ?? 0,
  };
}

function toFailures(error: JsonObject): ProviderFailures {
  return {
    ...error,
    code: findText(error, "code"),
    errorClass: readText(error, "errorClass"),
    meaning: findText(error, "meaning") ?? "",
    count: findNumber(error, "count") ?? 0,
    lastAt: readText(error, "lastAt"),
  };
}

function toCallbacks(body: JsonObject): ProviderCallback[] {
  return readObjects(body, "callbacks").map((callback) => ({
    ...callback,
    methods: findTexts(callback, "methods"),
    url: readText(callback, "url"),
  }));
}
