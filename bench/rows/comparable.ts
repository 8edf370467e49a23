/**
 * What people compare across systems; no bounds. Each figure says how often
 * the disk is waited for: a commit is always fsynced before it counts, and
 * concurrent work shares commits.
 */

import {
  alert,
  authorization,
  createDataFolder,
  createTopic,
  fanOut,
  publishPath,
  startCarillon,
} from "../carillon.ts";
import { runLoad } from "../load.ts";
import { bytesWritten, residentMb } from "../process-account.ts";
import { type BenchResult, figure } from "../result.ts";
import { startSink } from "../sink.ts";
import { alternate, median } from "../statistics.ts";
import { createTopics, subscribeAll } from "../subscribe.ts";
import { eventsPerSecond } from "./events.ts";

export async function benchComparable({
  rounds = 5,
  seconds = 3,
  messages = 10_000,
  topics = 1000,
  subscribers = 10_000,
} = {}): Promise<BenchResult> {
  await using sink = await startSink();
  await using data = await createDataFolder();
  await using carillon = await startCarillon(data.path);
  const idle = residentMb(carillon);
  await createTopic(carillon, "quiet");
  await createTopics(carillon, "events-{n}", topics);
  await subscribeAll(carillon, sink, { topic: "events-{n}", count: topics });
  await createTopic(carillon, "many");
  await subscribeAll(carillon, sink, { topic: "many", count: subscribers });

  const accepted = (connections: number) => async () => {
    const { perSecond } = await runLoad({
      port: carillon.port,
      path: publishPath("quiet"),
      headers: { authorization },
      body: JSON.stringify(alert),
      connections,
      seconds,
    });
    return perSecond;
  };
  /** Kilobytes per delivery of whatever `run` delivers. */
  const written =
    (deliveries: number, run: () => Promise<number>) => async () => {
      const before = bytesWritten(carillon);
      await run();
      return (bytesWritten(carillon) - before) / deliveries;
    };
  const events = () => eventsPerSecond(carillon, sink, messages, topics);
  const measured = await alternate(rounds, {
    alone: accepted(1),
    shared: accepted(64),
    drained: events,
    eventBytes: written(messages, events),
    fanOutBytes: written(subscribers, () =>
      fanOut(carillon, "many", subscribers),
    ),
  });
  const fsynced = "fsync before each answer";
  return {
    name: "what people compare across systems",
    rows: [
      figure(
        "single accept, 1 connection",
        median(measured.alone),
        "messages/s",
        `${fsynced}, one for each`,
      ),
      figure(
        "single accept, 64 connections",
        median(measured.shared),
        "messages/s",
        `${fsynced}, shared`,
      ),
      figure(
        "accepted and drained, one POST each",
        median(measured.drained),
        "deliveries/s",
        "fsync on accept and on outcome, shared; RSA signature each",
      ),
      figure("idle resident memory", idle, "MB", "just after ready"),
      figure(
        "written per event and its delivery",
        median(measured.eventBytes),
        "bytes",
        "write-ahead log and database; fsync shared",
      ),
      figure(
        "written per delivery of a fan-out",
        median(measured.fanOutBytes),
        "bytes",
        "write-ahead log and database; fsync per 500",
      ),
    ],
    skipped: [
      "batch accept and batched draining: Carillon has no batch publish and no pull subscriptions yet",
    ],
  };
}
