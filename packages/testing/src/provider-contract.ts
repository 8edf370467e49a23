/**
 * What every provider of `@carillon/gateway` must do, as tests. Give it a gateway
 * whose only provider it is, and a way to play the carrier:
 *
 * ```ts
 * testProviderContract("acme", async () => ({ send, statuses, received, … }));
 * ```
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";

/** What is asked of a text besides its number and its words. */
export interface TextWishes {
  /** As the message's own `src`. */
  readonly from?: string;
  /** Options of the gateway, such as `{ expires: 5 }`. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Raw parameters of the carrier. */
  readonly params?: Readonly<Record<string, unknown>>;
}

/** A status that a hook was called with. */
export interface ReportedStatus {
  readonly msgid: string | null;
  /** Such as `accepted`, `delivered`, `expired` and `error`. */
  readonly kind?: string;
  /** Name of the provider that it came through. */
  readonly entry?: string | null | undefined;
}

/** A provider within a gateway, and the carrier behind it. */
export interface ProviderUnderTest {
  /** Sends by the gateway, asks for a receipt, and answers what was sent. */
  send(
    number: string,
    text: string,
    wishes?: TextWishes,
  ): Promise<{ readonly msgid: string | null }>;
  /** Texts that the carrier has, oldest first. */
  arrived(): readonly string[];
  /** Statuses that the gateway's hooks were called with. */
  statuses(): readonly ReportedStatus[];
  /** Texts from phones that the gateway's hooks were called with. */
  received(): readonly { readonly src: string; readonly body: string }[];
  /** The carrier hands over a text from a phone. */
  handOver(number: string, text: string): Promise<unknown>;
  /** A number that takes all texts. */
  readonly answering: string;
  /** One whose texts the carrier refuses. */
  readonly refusing: string;
  /** One that the carrier never answers for; a send is given a second at most. */
  readonly silent: string;
  stop(): Promise<unknown>;
}

export interface ProviderContractOptions {
  /** Title of a case the adapter cannot meet → the reason. */
  readonly skip?: Readonly<Record<string, string>>;
}

const scripts = "Grüße aus Zürich, 你好, שלום, 👋🏽 {€}";
const long = "A text of many segments. ".repeat(30).trim();

/** Registers the suite with node:test. `open` answers a fresh gateway each time. */
export function testProviderContract(
  name: string,
  open: () => Promise<ProviderUnderTest>,
  { skip = {} }: ProviderContractOptions = {},
): void {
  function test(
    title: string,
    run: (given: ProviderUnderTest) => Promise<void>,
  ): void {
    it(title, { skip: skip[title] ?? false, timeout: 20_000 }, async () => {
      const given = await open();
      try {
        await run(given);
      } finally {
        await given.stop();
      }
    });
  }

  describe(`${name} keeps the provider contract`, () => {
    test("gives each text an id", async ({ send, answering }) => {
      const ids = new Set<string>();
      for (let n = 0; n < 5; n++) {
        const { msgid } = await send(answering, `Text ${n}`);
        assert.ok(typeof msgid === "string" && msgid !== "");
        ids.add(msgid);
      }
      assert.equal(ids.size, 5);
    });

    test("carries every script as it was written", async (given) => {
      await given.send(given.answering, scripts);
      assert.deepEqual(given.arrived(), [scripts]);
    });

    test("carries a long text whole", async (given) => {
      await given.send(given.answering, long);
      assert.equal(given.arrived().join(""), long);
    });

    test("a refusal says that nothing went out", async (given) => {
      const error = await failureOf(given.send(given.refusing, "Hello"));
      assert.equal(error.outcomeUnknown, false);
      assert.equal(typeof error.retryable, "boolean");
      assert.deepEqual(given.arrived(), []);
    });

    test("silence leaves the outcome unknown", async (given) => {
      const error = await failureOf(given.send(given.silent, "Hello"));
      assert.equal(error.outcomeUnknown, true);
    });

    test("reports what became of a text by its id", async (given) => {
      const { msgid } = await given.send(given.answering, "Hello");
      const about = given.statuses().filter((it) => it.msgid === msgid);
      assert.ok(about.length > 0);
      assert.equal(about.length, given.statuses().length);
    });

    test("hands over texts from phones", async (given) => {
      await given.handOver("491511234567", scripts);
      assert.deepEqual(
        given.received().map(({ src, body }) => ({ src, body })),
        [{ src: "491511234567", body: scripts }],
      );
    });

    test("stops, more than once", async (given) => {
      await given.send(given.answering, "Hello");
      await given.stop();
      await given.stop();
    });
  });
}

/** What a provider's error must say, whatever its class. */
export interface SendFailure extends Error {
  readonly retryable: unknown;
  readonly outcomeUnknown: unknown;
  readonly retryAfterMs?: unknown;
}

/** The error of what must fail. */
export async function failureOf(
  failing: Promise<unknown>,
): Promise<SendFailure> {
  try {
    await failing;
  } catch (error) {
    assert.ok(error instanceof Error);
    assert.ok("retryable" in error && "outcomeUnknown" in error, String(error));
    return error;
  }
  assert.fail("It did not fail.");
}
