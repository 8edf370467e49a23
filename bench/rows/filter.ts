/**
 * Fan-out to subscribers with three filter policies each, against fan-out to
 * as many without any: once with everybody's policies met, once with half of
 * the subscribers filtered out. No two have the same policies.
 */

import {
  alert,
  call,
  createDataFolder,
  createTopic,
  policiesPath,
  publish,
  startCarillon,
  subscriptionsPath,
  untilSettled,
} from "../carillon.ts";
import type { Child } from "../processes.ts";
import { atLeast, type BenchResult, figure } from "../result.ts";
import { startSink } from "../sink.ts";
import { alternate, median, medianRatio } from "../statistics.ts";
import { subscribeAll } from "../subscribe.ts";

const message = {
  ...alert,
  message_attributes: [
    { name: "region", type: "STRING", value: "eu" },
    { name: "severity", type: "STRING_ARRAY", value: ["high", "page"] },
    { name: "service", type: "STRING", value: "billing" },
  ],
};

/** Which subscribers of each topic want the message. */
const topics: Readonly<Record<string, (n: number) => boolean>> = {
  all: () => true,
  half: (n) => n % 2 === 0,
};

export async function benchFilter({
  subscribers = 20_000,
  rounds = 5,
} = {}): Promise<BenchResult> {
  await using sink = await startSink();
  await using data = await createDataFolder();
  await using carillon = await startCarillon(data.path);
  for (const topic of ["unfiltered", ...Object.keys(topics)]) {
    await createTopic(carillon, topic);
    await subscribeAll(carillon, sink, {
      topic,
      count: subscribers,
      host: "127.0.0.1",
    });
    const wants = topics[topic];
    if (wants) await setPolicies(carillon, topic, subscribers, wants);
  }

  const perSecond = (topic: string, delivered: number) => async () => {
    const begun = performance.now();
    const id = await publish(carillon, topic, message);
    const counts = await untilSettled(carillon, id, subscribers);
    if (counts.delivered !== delivered) {
      throw new Error(`${topic}: not as expected: ${JSON.stringify(counts)}`);
    }
    return (subscribers * 1000) / (performance.now() - begun);
  };
  const { unfiltered, all, half } = await alternate(rounds, {
    unfiltered: perSecond("unfiltered", subscribers),
    all: perSecond("all", subscribers),
    half: perSecond("half", Math.ceil(subscribers / 2)),
  });
  return {
    name: `fan-out 1 → ${subscribers.toLocaleString("en")} × 3 filter policies`,
    rows: [
      figure("without policies", median(unfiltered), "subscriptions/s"),
      figure("policies, all met", median(all), "subscriptions/s"),
      figure("policies, half met", median(half), "subscriptions/s"),
      atLeast("all met ÷ without", medianRatio(all, unfiltered), 0.6),
      atLeast("half met ÷ without", medianRatio(half, unfiltered), 0.6),
    ],
  };
}

async function setPolicies(
  carillon: Child,
  topic: string,
  subscribers: number,
  wants: (n: number) => boolean,
): Promise<void> {
  for (let offset = 0; offset < subscribers; offset += 100) {
    const { subscriptions } = await call<Page>(
      carillon,
      "GET",
      `${subscriptionsPath(topic)}?offset=${offset}&limit=100`,
    );
    await call(carillon, "POST", policiesPath, {
      polices: subscriptions.map(({ subscription_urn, endpoint }) => {
        const n = Number(endpoint.slice(endpoint.lastIndexOf("/") + 1));
        return {
          subscription_urn,
          filter_polices: policies(n, wants(n) ? "high" : "low"),
        };
      }),
    });
  }
}

interface Page {
  readonly subscriptions: readonly {
    readonly subscription_urn: string;
    readonly endpoint: string;
  }[];
}

const policies = (n: number, severity: string) => [
  { name: "region", string_equals: [`r${n}`, "eu"] },
  { name: "service", string_equals: ["mail", "billing", `s${n}`] },
  { name: "severity", string_equals: [severity, `v${n}`] },
];
