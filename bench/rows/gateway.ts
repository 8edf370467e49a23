/**
 * What the SMS gateway library costs: `send` through it against a call of the
 * provider itself, and how fast texts are analysed.
 */

import {
  analyze,
  Gateway,
  NullProvider,
  OutgoingMessage,
} from "@carillon/gateway";
import { atLeast, atMost, type BenchResult } from "../result.ts";
import { alternate, median } from "../statistics.ts";

export interface GatewayBenchOptions {
  /** Default 9. */
  readonly rounds?: number;
  /** Messages per round. Default 50,000. */
  readonly messages?: number;
  /** Characters per round. Default 20,000,000. */
  readonly characters?: number;
}

export async function benchGateway(
  options: GatewayBenchOptions = {},
): Promise<BenchResult> {
  const { rounds = 9, messages = 50_000, characters = 20_000_000 } = options;
  return {
    name: "gateway",
    rows: [
      await benchSend(rounds, messages),
      ...(await benchAnalyze(rounds, characters)),
    ],
  };
}

async function benchSend(rounds: number, messages: number) {
  const gateway = new Gateway();
  const provider = gateway.addProvider("null", new NullProvider());
  const time = async (
    send: (message: OutgoingMessage) => Promise<unknown>,
  ): Promise<number> => {
    const startedAt = performance.now();
    for (let i = 0; i < messages; i++) {
      await send(new OutgoingMessage("420777123456", "Your code is 123456"));
    }
    return ((performance.now() - startedAt) * 1000) / messages;
  };
  const { direct, gateway: through } = await alternate(rounds, {
    direct: () => time((message) => provider.send(message)),
    gateway: () => time((message) => gateway.send(message)),
  });
  return atMost(
    "send: over calling the provider",
    median(through) - median(direct),
    5,
    "µs",
  );
}

const TEXTS: Readonly<Record<string, string>> = {
  "short ASCII": "Your code is 123456. It is valid for ten minutes.",
  "long ASCII": "The quick brown fox jumps over the lazy dog. ".repeat(20),
  "GSM-7 with escapes": "Price: 12 € [net] {ref} ~ ÄÖÜ ß. ".repeat(12),
  Cyrillic: "Съешь ещё этих мягких французских булок. ".repeat(8),
  "emoji and CJK": "你好，世界 😀 ".repeat(20),
  "decomposed accents": "Pr\u030ci\u0301lis\u030c z\u030clut\u030co. ".repeat(
    12,
  ),
};

async function benchAnalyze(rounds: number, characters: number) {
  const contenders = Object.fromEntries(
    Object.entries(TEXTS).map(([name, text]) => [
      name,
      async () => analyzedPerSecond(text, characters),
    ]),
  );
  const speeds = await alternate(rounds, contenders);
  return Object.entries(speeds).map(([name, speed]) =>
    atLeast(`analyze: ${name}`, median(speed) / 1e6, 50, "M characters/s"),
  );
}

function analyzedPerSecond(text: string, characters: number): number {
  const times = Math.ceil(characters / text.length);
  let segments = 0;
  const startedAt = performance.now();
  for (let i = 0; i < times; i++) segments += analyze(text).segments;
  const seconds = (performance.now() - startedAt) / 1000;
  if (segments < times) throw new Error("Some texts have no segment");
  return (times * text.length) / seconds;
}
