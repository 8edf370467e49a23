/**
 * What every provider of a carrier over HTTP must do besides the provider
 * contract, as tests: what it makes of wishes and refusals, of answers that
 * are broken in all the ways in which answers break, and of calls that the
 * carrier repeats, forges or floods it with.
 *
 * ```ts
 * testCarrierContract("acme", openAcme, { wishes: […], refusals: […] });
 * ```
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import type {
  CarrierAnswer,
  CarrierFault,
  FakeCarrier,
} from "./fake-carriers/fake-carrier.ts";
import {
  failureOf,
  type ProviderContractOptions,
  type ProviderUnderTest,
  type ReportedStatus,
  type SendFailure,
  type TextWishes,
  testProviderContract,
} from "./provider-contract.ts";

/** A provider within a gateway, and the carrier that it reaches over HTTP. */
export interface CarrierUnderTest extends ProviderUnderTest {
  /** The name it has in the gateway. */
  readonly name: string;
  readonly carrier: FakeCarrier;
  /** Of the last text, as the carrier got them, nested ones by their path. */
  fields(): Readonly<Record<string, string | undefined>>;
  send(
    number: string,
    text: string,
    wishes?: TextWishes,
  ): Promise<{
    readonly msgid: string | null;
    /** The provider says that the carrier calls with a report. */
    readonly isReported: boolean;
  }>;
  /**
   * Another gateway with the same settings, as after a restart; its routes are
   * where they were, and are known as it is asked for, by default from settings.
   */
  restart(address?: CallbackAddress): Promise<unknown>;
  /** When the carrier is first asked about a text; `undefined`: never. */
  readonly pollAfterMs: number | undefined;
  /** Makes the application's hooks fail for the next call. */
  failNextHook(): void;
  /** Absent: the carrier takes one text at a time. */
  sendBatch?(
    texts: readonly { readonly number: string; readonly text: string }[],
  ): Promise<readonly BatchResult[]>;
  /** Absent: the carrier cannot be asked. */
  fetchStatuses?(msgids: readonly string[]): Promise<readonly ReportedStatus[]>;
  /** Absent: the carrier does not tell. */
  fetchBalance?(): Promise<{
    readonly amount: number;
    readonly currency?: string;
  }>;
  /** What the carrier calls; absent: it never calls. */
  readonly calls?: CarrierCalls;
}

/** Where a provider has it from where its carrier reaches it. */
export type CallbackAddress = "settings" | "gateway" | "nowhere";

export interface BatchResult {
  readonly message: { readonly msgid: string | null };
  readonly error?: Error;
}

/** Requests of a carrier; each answers the HTTP status it got. */
export interface CarrierCalls {
  /** Absent: it reports nothing by itself. */
  report?(
    msgid: string,
    state: "accepted" | "delivered" | "failed",
  ): Promise<number>;
  /** A text from a phone; absent: there are none. */
  handOver?(number: string, text: string): Promise<number>;
  /**
   * The same as `report` and `handOver` from somebody else, each in another
   * way. Absent: nothing but the secret address shows who calls.
   */
  readonly forged?: Readonly<Record<string, () => Promise<number>>>;
  /** Addresses that it calls. */
  readonly urls: readonly string[];
  /** What it is answered when a hook failed; default 500. */
  readonly statusOfFailure?: number;
  /** How a refused call is answered; default: 400 to 499. */
  isRefusal?(response: Response): Promise<boolean>;
}

/** What the wire looks like for wishes. */
export interface WishCase extends TextWishes {
  readonly title: string;
  readonly text?: string;
  /** `undefined`: is not there. Others may be. */
  readonly fields: Readonly<Record<string, string | undefined>>;
}

/** An answer of the carrier that refuses a text. */
export interface RefusalCase {
  readonly title: string;
  readonly answer: CarrierAnswer;
  /** Name of the error's class. */
  readonly error: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  /** Whether the text may have gone out all the same. Default false. */
  readonly outcomeUnknown?: boolean;
}

export interface CarrierContractOptions extends ProviderContractOptions {
  readonly wishes: readonly WishCase[];
  readonly refusals: readonly RefusalCase[];
  /** Texts in the settings that nobody may see. */
  readonly secrets: readonly string[];
  /**
   * An answer that refuses a text in these words, or with them as a code. Absent:
   * the carrier has no words for it.
   */
  readonly quote?: (words: string) => CarrierFault;
  /** More answers of success that do not say which text was taken. */
  readonly unreadable?: Readonly<Record<string, CarrierAnswer>>;
}

const tooMany = 10 * 1024 * 1024;

/** Answers of success that nobody can read. */
const unreadable: Readonly<Record<string, CarrierAnswer>> = {
  "is empty": {},
  "is a page": { body: "<html><body>It works!</body></html>" },
  "is JSON that ends early": json('{"messages":[{"id":"1'),
  "is JSON but no object": json("null"),
  "is JSON of another form": json('{"messages":[null,7],"sid":{},"ids":"x"}'),
  "is nested JSON": json("[".repeat(100_000)),
  "is XML that ends early": xml("<status><code"),
  "is XML without what is asked": xml("<status/>"),
  "is nested XML": xml(`${"<a>".repeat(50_000)}${"</a>".repeat(50_000)}`),
  "defines entities in entities": xml(entityBomb()),
  "names a file as an entity": xml(
    '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
  ),
  "is in another charset": {
    headers: { "content-type": "application/json; charset=utf-16le" },
    body: Buffer.from("<status>ž</status>", "utf16le"),
  },
  "is in a charset that nobody knows": {
    headers: { "content-type": "text/xml; charset=klingon" },
    body: Buffer.from([0xff, 0xfe, 0x00, 0x80]),
  },
  "is larger than any": json(`"${"x".repeat(tooMany)}"`),
};

/** Answers that say what they mean by their status alone. */
const failures: readonly RefusalCase[] = [
  refusal("500 with a page", 500, "ServerError", true),
  refusal("503 with a page", 503, "ServerError", true),
  // Of a gateway in front of the carrier, which may have the text.
  {
    ...refusal("502 with nothing", 502, "ServerError", true),
    outcomeUnknown: true,
  },
  {
    ...refusal("504 with a page", 504, "ServerError", true),
    outcomeUnknown: true,
  },
  refusal("401 with a page", 401, "AuthError", false),
  refusal("429 with a time to wait", 429, "LimitsError", true, 7000),
  refusal("404 with a page", 404, "RequestError", false),
];

/** Registers the suite with node:test. `open` answers a fresh one each time. */
export function testCarrierContract(
  name: string,
  open: () => Promise<CarrierUnderTest>,
  options: CarrierContractOptions,
): void {
  testProviderContract(name, open, options);

  function test(
    title: string,
    run: (given: CarrierUnderTest) => Promise<void>,
  ): void {
    const skip = options.skip?.[title] ?? false;
    it(title, { skip, timeout: 20_000 }, async () => {
      const given = await open();
      try {
        await run(given);
      } finally {
        await given.stop();
      }
    });
  }

  describe(`${name} keeps the carrier contract: sending`, () => {
    for (const { title, text = "Hi", fields, ...wishes } of options.wishes) {
      test(title, async (given) => {
        await given.send(given.answering, text, wishes);
        const sent = given.fields();
        const seen = Object.keys(fields).map((key) => [key, sent[key]]);
        assert.deepEqual(Object.fromEntries(seen), fields);
      });
    }

    for (const refused of [...failures, ...options.refusals]) {
      const { title, answer, error, retryable, retryAfterMs } = refused;
      const { outcomeUnknown = false } = refused;
      test(`tells ${title} as what it is`, async (given) => {
        const failure = await failureAfter(given, answer);
        assert.equal(failure.name, error);
        assert.equal(failure.outcomeUnknown, outcomeUnknown, String(failure));
        assert.equal(failure.retryable, retryable, String(failure));
        if (retryAfterMs !== undefined) {
          assert.equal(failure.retryAfterMs, retryAfterMs);
        }
      });
    }

    for (const address of ["settings", "gateway"] as const) {
      test(`shows nothing secret that the carrier quotes: address by ${address}`, async (given) => {
        const { quote } = options;
        if (!quote) return;
        await given.restart(address);
        const url = given.calls?.urls[0] ?? "";
        const path = new URL(url || "http://carrier.test").pathname;
        const secrets = [...options.secrets, given.answering];
        const words = ["Sorry", ...secrets, url, `+${given.answering}`];
        const failure = await failureAfter(given, quote(words.join(" ")));
        const shown = inspect(failure, { depth: 9 });
        assert.match(shown, /Sorry/);
        for (const it of secrets) assert.ok(!shown.includes(it), shown);
        // Who is not told the address cannot quote it.
        const isTold = address === "gateway" || given.calls?.report;
        if (path !== "/" && isTold) assert.ok(!shown.includes(path), shown);
      });
    }

    test("expects reports wherever it has its address from", async (given) => {
      const sent = await given.send(given.answering, "Hi");
      const fields = Object.entries(given.fields());
      const { pollAfterMs } = given;
      await given.restart("gateway");
      const again = await given.send(given.answering, "Hi");
      assert.equal(again.isReported, sent.isReported);
      assert.equal(given.pollAfterMs, pollAfterMs);
      const url = given.calls?.urls[0]?.replace(/\/[^/]*$/, "") ?? "";
      for (const [name, value] of fields) {
        const other = given.fields()[name];
        // Ids differ from text to text.
        if (value === undefined) assert.equal(other, undefined, name);
        else if (url && value.includes(url)) assert.equal(other, value, name);
        else assert.notEqual(other, undefined, name);
      }
      if (given.calls?.report) assert.equal(sent.isReported, true);
    });

    test("expects no report that nobody can make, and asks instead", async (given) => {
      if (!given.calls?.report) return;
      const { pollAfterMs = Number.POSITIVE_INFINITY } = given;
      await given.restart("nowhere");
      const { isReported } = await given.send(given.answering, "Hi");
      assert.equal(isReported, false);
      if (given.pollAfterMs === undefined) return;
      assert.ok(given.pollAfterMs < pollAfterMs);
    });

    for (const [title, answer] of Object.entries({
      ...unreadable,
      ...options.unreadable,
    })) {
      test(`an answer that ${title} leaves the outcome unknown`, async (given) => {
        const failure = await failureAfter(given, answer);
        assert.equal(failure.outcomeUnknown, true, String(failure));
      });
    }

    for (const [fault, title] of [
      ["cut", "a connection that ends in place of an answer"],
      ["half", "an answer that is cut off"],
      ["drip", "an answer that never ends"],
    ] as const) {
      test(`${title} leaves the outcome unknown`, async (given) => {
        const failure = await failureAfter(given, fault);
        assert.equal(failure.outcomeUnknown, true, String(failure));
      });
    }

    test("a carrier that is not there got nothing", async (given) => {
      await given.carrier[Symbol.asyncDispose]();
      const failure = await failureOf(given.send(given.answering, "Hi"));
      assert.equal(failure.name, "ProviderConnectionError");
      assert.equal(failure.outcomeUnknown, false);
      assert.equal(failure.retryable, true);
    });

    test("several texts go out in one request, each with its own end", async (given) => {
      if (!given.sendBatch) return;
      const before = given.carrier.requests.length;
      const results = await given.sendBatch([
        { number: given.answering, text: "One" },
        { number: given.refusing, text: "Two" },
        { number: given.answering, text: "Three" },
      ]);
      assert.equal(given.carrier.requests.length, before + 1);
      assert.deepEqual(
        results.map(({ error }) => error === undefined),
        [true, false, true],
      );
      const ids = results.map(({ message }) => message.msgid);
      assert.equal(new Set([ids[0], ids[2], null]).size, 3);
      assert.deepEqual(given.arrived(), ["One", "Three"]);
    });

    test("several texts fail together when their request does", async (given) => {
      if (!given.sendBatch) return;
      const texts = ["One", "Two"].map((text) => ({
        number: given.answering,
        text,
      }));
      for (const [fault, isUnknown] of [
        ["cut", true],
        [{ body: "?" }, true],
        [{ status: 500 }, false],
        [{ status: 504 }, true],
      ] as const) {
        given.carrier.failNext(fault);
        const results = await given.sendBatch(texts);
        assert.equal(results.length, 2);
        for (const { error } of results) {
          assert.ok(error && "outcomeUnknown" in error);
          assert.equal(error.outcomeUnknown, isUnknown, String(error));
        }
      }
    });
  });

  describe(`${name} keeps the carrier contract: asking`, () => {
    test("answers the states of texts it is asked for, and of no others", async (given) => {
      if (!given.fetchStatuses) return;
      const { msgid } = await given.send(given.answering, "Hi");
      assert.ok(msgid !== null);
      const found = await given.fetchStatuses([msgid]);
      assert.deepEqual(
        found.map((it) => it.msgid),
        [msgid],
      );
    });

    test("answers what is known of some where others are not known", async (given) => {
      if (!given.fetchStatuses) return;
      const known: (string | null)[] = [];
      for (let n = 0; n < 3; n++) {
        known.push((await given.send(given.answering, "Hi")).msgid);
      }
      const [first = "", ...others] = known.map(String);
      const asked = [first, "an-id-nobody-knows", ...others];
      const found = await given.fetchStatuses(asked);
      assert.deepEqual(found.map(({ msgid }) => msgid).sort(), known.sort());
    });

    test("a request that fails costs no answer of another", async (given) => {
      if (!given.fetchStatuses) return;
      const ids: string[] = [];
      for (let n = 0; n < 3; n++) {
        ids.push(String((await given.send(given.answering, "Hi")).msgid));
      }
      const before = given.carrier.requests.length;
      given.carrier.failNext({ status: 429 });
      const found = await given.fetchStatuses(ids).catch(() => []);
      const asked = given.carrier.requests.length - before;
      assert.equal(found.length, asked === 1 ? 0 : ids.length - 1);
    });

    test("says nothing of a text that another account may have sent", async (given) => {
      if (!given.fetchStatuses) return;
      assert.deepEqual(await given.fetchStatuses(["an-id-nobody-knows"]), []);
    });

    test("asking fails where the answer cannot be read", async (given) => {
      if (!given.fetchStatuses) return;
      const { msgid } = await given.send(given.answering, "Hi");
      assert.ok(msgid !== null);
      for (const fault of [
        { status: 500 },
        { body: "?" },
        { body: "<html><body>It works!</body></html>" },
        xml(entityBomb()),
        "cut",
        "half",
      ] as const) {
        given.carrier.failNext(fault);
        await failureOf(given.fetchStatuses([msgid]));
      }
      assert.equal((await given.fetchStatuses([msgid])).length, 1);
    });

    test("shows nothing secret that is quoted where it was asked", async (given) => {
      const { quote, secrets } = options;
      if (!given.fetchStatuses || !quote) return;
      const { msgid } = await given.send(given.answering, "Hi");
      given.carrier.failNext(quote(["Sorry", ...secrets].join(" ")));
      const failure = await failureOf(given.fetchStatuses([String(msgid)]));
      const shown = inspect(failure, { depth: 9 });
      assert.match(shown, /Sorry/);
      for (const it of secrets) assert.ok(!shown.includes(it), shown);
    });

    test("answers what money is left", async (given) => {
      if (!given.fetchBalance) return;
      const { amount } = await given.fetchBalance();
      assert.ok(Number.isFinite(amount));
      for (const fault of [{ status: 401 }, { body: "?" }, "cut"] as const) {
        given.carrier.failNext(fault);
        await failureOf(given.fetchBalance());
      }
    });
  });

  describe(`${name} keeps the carrier contract: what it is called with`, () => {
    test("hands on reports as they come: of unknown texts, twice, out of order", async (given) => {
      const { report } = given.calls ?? {};
      if (!report) return;
      const states = ["delivered", "delivered", "accepted", "failed"] as const;
      for (const state of states) {
        assert.ok(isTaken(await report("an-id-nobody-knows", state)), state);
      }
      const seen = given.statuses();
      assert.equal(seen.length, states.length);
      for (const { msgid, entry } of seen) {
        assert.equal(msgid, "an-id-nobody-knows");
        assert.equal(entry, given.name);
      }
      assert.deepEqual(
        seen.map(({ kind }) => kind),
        ["delivered", "delivered", "accepted", "error"],
      );
    });

    test("hands on reports after a restart", async (given) => {
      const { report } = given.calls ?? {};
      if (!report) return;
      const { msgid } = await given.send(given.answering, "Hi");
      assert.ok(msgid !== null);
      const before = given.statuses().length;
      await given.restart();
      assert.ok(isTaken(await report(msgid, "delivered")));
      assert.equal(given.statuses().at(-1)?.msgid, msgid);
      assert.equal(given.statuses().length, before + 1);
    });

    test("asks for what could not be kept once more", async (given) => {
      const { report, handOver, statusOfFailure = 500 } = given.calls ?? {};
      if (report) {
        given.failNextHook();
        assert.equal(await report("7", "delivered"), statusOfFailure);
        assert.ok(isTaken(await report("7", "delivered")));
        assert.equal(given.statuses().at(-1)?.msgid, "7");
      }
      if (handOver) {
        given.failNextHook();
        const call = () => handOver("491511234567", "Hi");
        assert.equal(await call(), statusOfFailure);
        assert.ok(isTaken(await call()));
        assert.equal(given.received().at(-1)?.body, "Hi");
      }
    });

    test("refuses what somebody else made", async (given) => {
      for (const [way, call] of Object.entries(given.calls?.forged ?? {})) {
        const status = await call();
        assert.ok(status === 401 || status === 403, `${way}: ${status}`);
      }
      assert.deepEqual(given.statuses(), []);
      assert.deepEqual(given.received(), []);
    });

    test("refuses floods and nonsense, and hands on nothing of it", async (given) => {
      const { urls = [], isRefusal = isClientError } = given.calls ?? {};
      for (const url of urls) {
        for (const [title, init] of Object.entries(nonsense())) {
          const response = await callWith(url, init);
          // The connection was ended, which is a refusal too.
          if (response === undefined) continue;
          assert.ok(await isRefusal(response), `${title}: ${response.status}`);
        }
      }
      assert.deepEqual(given.statuses(), []);
      assert.deepEqual(given.received(), []);
    });
  });
}

/** Sends a text that meets the fault, and then one that does not. */
async function failureAfter(
  given: CarrierUnderTest,
  fault: Parameters<FakeCarrier["failNext"]>[0],
): Promise<SendFailure> {
  const before = given.carrier.requests.length;
  given.carrier.failNext(fault);
  const failure = await failureOf(given.send(given.answering, "Hello"));
  // Whatever it means, nothing is repeated here.
  assert.equal(given.carrier.requests.length, before + 1);
  const { msgid } = await given.send(given.answering, "Hello again");
  assert.ok(msgid);
  return failure;
}

function isTaken(status: number): boolean {
  return status >= 200 && status <= 299;
}

async function isClientError({ status }: Response): Promise<boolean> {
  return status >= 400 && status <= 499;
}

async function callWith(
  url: string,
  init: RequestInit,
): Promise<Response | undefined> {
  try {
    return await fetch(url, { method: "POST", ...init });
  } catch {
    return undefined;
  }
}

function nonsense(): Readonly<Record<string, RequestInit>> {
  return {
    "10 MB": { body: "x".repeat(tooMany) },
    nothing: { body: "" },
    "octets of no text": { body: Buffer.from([0xff, 0x00, 0xfe, 0x80]) },
    "half an object": bodyOf("application/json", '{"event":{"moText":[{'),
    "an array of numbers": bodyOf("application/json", "[1,2,3]"),
    "nested lists": bodyOf("application/json", "[".repeat(100_000)),
    "a form of nothing": bodyOf("application/x-www-form-urlencoded", "&&=&="),
    "half a document": bodyOf("text/xml", "<messages><sms"),
    "entities in entities": bodyOf("text/xml", entityBomb()),
  };
}

function bodyOf(type: string, body: string): RequestInit {
  return { body, headers: { "content-type": type } };
}

function entityBomb(): string {
  const entities = Array.from({ length: 9 }, (_, n) => {
    const inner = n === 0 ? "lol" : `&e${n - 1};`.repeat(10);
    return `<!ENTITY e${n} "${inner}">`;
  });
  return `<?xml version="1.0"?><!DOCTYPE a [${entities.join("")}]><a>&e8;</a>`;
}

function json(body: string): CarrierAnswer {
  return { headers: { "content-type": "application/json" }, body };
}

function xml(body: string): CarrierAnswer {
  return { headers: { "content-type": "text/xml" }, body };
}

function refusal(
  title: string,
  status: number,
  error: string,
  retryable: boolean,
  retryAfterMs?: number,
): RefusalCase {
  const headers = {
    "content-type": "text/html",
    ...(retryAfterMs && { "retry-after": String(retryAfterMs / 1000) }),
  };
  return {
    title,
    answer: { status, headers, body: status === 502 ? "" : "<h1>Sorry</h1>" },
    error,
    retryable,
    ...(retryAfterMs && { retryAfterMs }),
  };
}
