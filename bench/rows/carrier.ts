/**
 * Texts through a carrier 10 ms away, on 50 connections, against the same
 * requests made by undici alone; then the carrier's receipts, against bare
 * updates of a row each; and the memory that many texts take.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TextsQuestion } from "../bare/texts.ts";
import {
  type Carillon,
  createDataFolder,
  publish,
  startCarillon,
  untilFannedOut,
} from "../carillon.ts";
import { type Carrier, carrierProvider, startCarrier } from "../carrier.ts";
import { monotonicMs } from "../clock.ts";
import { runLoad } from "../load.ts";
import { residentMb } from "../process-account.ts";
import { type Program, startProgram } from "../processes.ts";
import { atLeast, atMost, type BenchResult, figure } from "../result.ts";
import { seedPhones } from "../seed.ts";
import { alternate, median, medianRatio } from "../statistics.ts";
import { untilDone } from "../watchdog.ts";

export interface CarrierBenchOptions {
  /** Of each round. Default 20,000. */
  readonly texts?: number;
  readonly rounds?: number;
}

const connections = 50;
const answerMs = 10;
const alert = { subject: "Disk", message: "Volume data-1 is 93 % full" };

/** Carillon with the carrier as its only provider. */
async function startWith(data: string, carrier: Carrier): Promise<Carillon> {
  const file = join(data, "bench.json");
  const sms = { providers: [carrierProvider(carrier)] };
  writeFileSync(file, JSON.stringify({ sms }));
  const window = ["--max-in-flight", String(connections)];
  return await startCarillon(data, ["--config", file, ...window]);
}

export async function benchCarrier({
  texts = 20_000,
  rounds = 5,
}: CarrierBenchOptions = {}): Promise<BenchResult> {
  await using carrier = await startCarrier({ answerMs });
  await using data = await createDataFolder();
  await seedPhones(data.path, "texts", texts);
  await using carillon = await startWith(data.path, carrier);
  await using bare = await startProgram("bare/texts.ts");
  const messages: string[] = [];

  const perSecond = async (send: () => Promise<unknown>): Promise<number> => {
    await carrier.reset();
    const begun = monotonicMs();
    await send();
    const { lastAt, different } = await carrier.until(texts);
    if (different < texts) throw new Error(`${different} of ${texts} arrived`);
    return (texts / (lastAt - begun)) * 1000;
  };
  const rates = await alternate(rounds, {
    bare: () => {
      const question: TextsQuestion = {
        port: carrier.port,
        texts,
        connections,
      };
      return perSecond(() => bare.ask(question));
    },
    carillon: () =>
      perSecond(async () => {
        messages.push(await publish(carillon, "texts", alert));
      }),
  });
  const receipts = await benchReceipts(carillon, data.path, {
    texts,
    rounds,
    messages,
  });
  return {
    name: `texts through a carrier ${answerMs} ms away, ${connections} connections`,
    rows: [
      figure("bare undici", median(rates.bare), "texts/s", "nothing kept"),
      figure("carillon", median(rates.carillon), "texts/s", "fsync"),
      atLeast(
        "carillon ÷ bare undici",
        medianRatio(rates.carillon, rates.bare),
        0.8,
      ),
      ...receipts,
    ],
  };
}

interface ReceiptRounds extends Required<CarrierBenchOptions> {
  /** One of each round, oldest first. */
  readonly messages: readonly string[];
}

async function benchReceipts(
  carillon: Carillon,
  folder: string,
  { texts, rounds, messages }: ReceiptRounds,
) {
  await using bare = await startProgram("bare/receipts.ts");
  for (const id of messages) await untilFannedOut(carillon, id, texts);
  const { receiverSecret } = JSON.parse(
    readFileSync(join(folder, "credentials.json"), "utf8"),
  ) as { receiverSecret: string };
  const load = async (to: Carillon | Program, path: string, first: number) => {
    const { perSecond } = await runLoad({
      port: to.port,
      path,
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: "id=T{n}&state=DONE",
      connections: 64,
      requests: texts,
      firstNumber: first,
    });
    return perSecond;
  };
  let round = 0;
  const rates = await alternate(rounds, {
    bare: async () => {
      await bare.ask({ texts });
      return load(bare, "/status", 1);
    },
    // The carrier numbers texts from 1, those of the bare rounds too.
    carillon: () =>
      load(
        carillon,
        `/receivers/${receiverSecret}/carrier/status`,
        (2 * round++ + 1) * texts + 1,
      ),
  });
  // Rounds that warm up are among them.
  const all = texts * messages.length;
  const delivered = await countDelivered(carillon, messages, all);
  return [
    figure("receipts: bare updates", median(rates.bare), "receipts/s", "fsync"),
    figure("receipts: carillon", median(rates.carillon), "receipts/s", "fsync"),
    atLeast(
      "receipts: carillon ÷ bare updates",
      medianRatio(rates.carillon, rates.bare),
      0.3,
    ),
    atLeast("receipts matched", (100 * delivered) / all, 100, "%"),
  ];
}

async function countDelivered(
  carillon: Carillon,
  messages: readonly string[],
  wanted: number,
): Promise<number> {
  const count = async () => {
    let delivered = 0;
    for (const id of messages) {
      const counts = await untilFannedOut(carillon, id, 1);
      delivered += counts.delivered ?? 0;
    }
    return delivered;
  };
  return await untilDone(
    "receipts",
    count,
    (n) => n >= wanted,
    (n) => n,
  );
}

export async function benchCarrierMemory({
  texts = 100_000,
} = {}): Promise<BenchResult> {
  await using carrier = await startCarrier({ answerMs });
  await using data = await createDataFolder();
  await seedPhones(data.path, "texts", texts);
  await using carillon = await startWith(data.path, carrier);
  const idle = residentMb(carillon);
  let peak = idle;
  const sampling = setInterval(() => {
    peak = Math.max(peak, residentMb(carillon));
  }, 50);
  await publish(carillon, "texts", alert);
  await carrier.until(texts / 5);
  const early = peak;
  await carrier.until(texts);
  clearInterval(sampling);
  const { different } = await carrier.state();
  const shown = texts.toLocaleString("en");
  return {
    name: `resident memory, ${shown} texts accepted and handed over`,
    rows: [
      figure("idle", idle, "MB"),
      atMost("more at the peak", peak - idle, 150, "MB"),
      atMost("peak ÷ peak of the first fifth", peak / early, 1.25),
      atLeast("handed over, each once", (100 * different) / texts, 100, "%"),
    ],
  };
}
