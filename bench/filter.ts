/**
 * Fan-out to subscribers with three filter policies each, against fan-out to
 * as many without any: once with everybody's policies met, once with half of
 * the subscribers filtered out. No two have the same policies.
 */

import { publish, untilFannedOut } from "./api.ts";
import { startCarillon, startChild } from "./process.ts";
import { alternate, atLeast, type BenchResult, figure } from "./result.ts";
import { createDataFolder, seedTopic } from "./subscriptions.ts";

const attributes = [
  { name: "region", type: "STRING", value: "eu" },
  { name: "severity", type: "STRING_ARRAY", value: ["high", "page"] },
  { name: "service", type: "STRING", value: "billing" },
];

export async function benchFilter({
  subscribers = 50_000,
  rounds = 3,
} = {}): Promise<BenchResult> {
  await using sink = await startChild("sink.ts");
  await using data = await createDataFolder();
  const endpoints = Array.from(
    { length: subscribers },
    (_, n) => `http://127.0.0.1:${sink.port}/hook/${n}`,
  );
  const policies = (n: number, severity: string) => [
    { name: "region", stringEquals: [`r${n}`, "eu"] },
    { name: "service", stringEquals: ["mail", "billing", `s${n}`] },
    { name: "severity", stringEquals: [severity, `v${n}`] },
  ];
  await seedTopic(data.path, "unfiltered", endpoints);
  await seedTopic(data.path, "all", endpoints, (n) => policies(n, "high"));
  await seedTopic(data.path, "half", endpoints, (n) =>
    policies(n, n % 2 === 0 ? "high" : "low"),
  );
  await using carillon = await startCarillon(data.path);

  const perSecond = async (topic: string, delivered: number) => {
    const begun = performance.now();
    const id = await publish(carillon.port, topic, "benchmark", attributes);
    const counts = await untilFannedOut(carillon.port, id, subscribers);
    if (counts.delivered !== delivered) {
      throw new Error(`${topic}: not as expected: ${JSON.stringify(counts)}`);
    }
    return (subscribers * 1000) / (performance.now() - begun);
  };
  const half = Math.ceil(subscribers / 2);
  const rates = await alternate(rounds, {
    unfiltered: () => perSecond("unfiltered", subscribers),
    all: () => perSecond("all", subscribers),
    half: () => perSecond("half", half),
  });
  const { unfiltered = 0, all = 0, half: halved = 0 } = rates;
  return {
    name: `fan-out 1 → ${subscribers.toLocaleString("en")} × 3 filter policies`,
    rows: [
      figure("without policies", unfiltered, "subscriptions/s"),
      figure("policies, all met", all, "subscriptions/s"),
      figure("policies, half met", halved, "subscriptions/s"),
      atLeast("all met ÷ without", all / unfiltered, 0.6),
      atLeast("half met ÷ without", halved / unfiltered, 0.6),
    ],
  };
}
