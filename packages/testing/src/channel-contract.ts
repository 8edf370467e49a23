/**
 * What every channel that makes attempts must do, as tests. Give it a way to
 * open one, with a message and endpoints that answer in known ways:
 *
 * ```ts
 * testChannelContract("pigeon", async () => ({
 *   channel: createPigeonChannel({ timeoutMs: 200 }),
 *   message, answering, refusing, silent,
 *   close: () => loft.close(),
 * }));
 * ```
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type AttemptResult,
  type AttemptSignals,
  type Channel,
  checkEndpoint,
  checkResult,
  createProtocols,
  type Message,
  type Recipient,
} from "@carillon/core";

/** A channel, and whom its attempts are made at. */
export interface ChannelUnderTest {
  /** Its attempts take a second at most, so that the suite is quick. */
  readonly channel: Channel;
  /** What each recipient is sent. */
  readonly message: Message;
  /** Takes what it is sent. */
  readonly answering: Recipient;
  /** Says no, for now or for good. */
  readonly refusing: Recipient;
  /** Keeps silent until the attempt ends. */
  readonly silent: Recipient;
  /** Closes what stands behind the recipients, after the channel was closed. */
  close(): Promise<void>;
}

export interface ChannelContractOptions {
  /** Title of a case the adapter cannot meet → the reason. */
  readonly skip?: Readonly<Record<string, string>>;
}

/** How much longer than it said a channel may take on a busy machine; ms. */
const slackMs = 1000;

/** Registers the suite with node:test. `open` answers a fresh channel each time. */
export function testChannelContract(
  name: string,
  open: () => Promise<ChannelUnderTest>,
  { skip = {} }: ChannelContractOptions = {},
): void {
  function test(
    title: string,
    run: (given: ChannelUnderTest) => Promise<void>,
  ): void {
    it(title, { skip: skip[title] ?? false, timeout: 20_000 }, async () => {
      const given = await open();
      try {
        await run(given);
      } finally {
        await given.channel.close();
        await given.close();
      }
    });
  }

  describe(`${name} keeps the channel contract`, () => {
    test("brings definitions that fit its recipients", async (given) => {
      const { channel, answering, refusing, silent } = given;
      assert.ok(channel.name !== "");
      assert.ok(Number.isFinite(channel.timeoutMs) && channel.timeoutMs > 0);
      const protocols = createProtocols(channel.protocols);
      for (const { protocol, endpoint } of [answering, refusing, silent]) {
        const definition = protocols.check(protocol);
        assert.equal(checkEndpoint(definition, endpoint), endpoint);
        assert.notEqual(definition.maskEndpoint(endpoint), endpoint);
        assert.throws(() => checkEndpoint(definition, ""), {
          code: "ENDPOINT_INVALID",
        });
      }
      for (const { defaultLifeSeconds } of protocols.all) {
        assert.ok(Number.isInteger(defaultLifeSeconds));
        assert.ok(defaultLifeSeconds > 0);
      }
    });

    test("hands over what is taken", async (given) => {
      const result = await attempt(given, given.answering);
      assert.match(result.outcome, /^(accepted|delivered|simulated)$/);
    });

    test("prepares once for many recipients", async (given) => {
      const { channel, message, answering } = given;
      const prepared = await channel.prepare(message);
      const results = await Promise.all(
        Array.from({ length: 5 }, () => prepared.deliver(answering)),
      );
      for (const result of results) {
        assert.match(check(result).outcome, /^(accepted|delivered|simulated)$/);
      }
    });

    test("a refusal is a result with its reason", async (given) => {
      const result = await attempt(given, given.refusing);
      assert.match(result.outcome, /^(deferred|rejected)$/);
      assert.ok("error" in result && result.error !== "");
    });

    test("settles within its time, and calls the outcome by its name", async (given) => {
      const { channel, silent } = given;
      const begunAt = performance.now();
      const result = await attempt(given, silent);
      const tookMs = performance.now() - begunAt;
      assert.ok(tookMs <= channel.timeoutMs + slackMs, `${tookMs} ms`);
      assert.equal("errorClass" in result && result.errorClass, "timeout");
      assert.equal(
        result.outcome,
        channel.kind === "billable" ? "unknown" : "deferred",
      );
    });

    test("an attempt ends when the engine stops waiting", async (given) => {
      const controller = new AbortController();
      const attempting = attempt(given, given.silent, signalsOf(controller));
      await turn();
      controller.abort();
      const result = await attempting;
      assert.equal("errorClass" in result && result.errorClass, "interrupted");
      if (given.channel.kind === "push") {
        assert.equal(result.outcome, "deferred");
      } else assert.match(result.outcome, /^(deferred|unknown)$/);
    });

    test("starts nothing once the engine stopped waiting", async (given) => {
      const controller = new AbortController();
      controller.abort();
      const { answering } = given;
      const result = await attempt(given, answering, signalsOf(controller));
      assert.equal(result.outcome, "deferred");
      assert.equal("errorClass" in result && result.errorClass, "interrupted");
    });

    test("closing ends what is under way, and may be repeated", async (given) => {
      const attempting = attempt(given, given.silent);
      await turn();
      await Promise.all([given.channel.close(), given.channel.close()]);
      const result = await attempting;
      assert.ok("errorClass" in result, result.outcome);
      await given.channel.close();
    });
  });
}

async function attempt(
  { channel, message }: ChannelUnderTest,
  recipient: Recipient,
  signals?: AttemptSignals,
): Promise<AttemptResult> {
  const prepared = await channel.prepare(message);
  return check(await prepared.deliver(recipient, signals));
}

/** As the engine does it: nothing is dropped from a right result. */
function check(answer: unknown): AttemptResult {
  const { result, defects } = checkResult(answer);
  assert.deepEqual(defects, []);
  return result;
}

function signalsOf({ signal }: AbortController): AttemptSignals {
  return { engineSignal: signal, signal };
}

/** Lets an attempt get under way. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
