/** From publish to the first byte at a subscriber, on an idle server. */

import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { publish } from "./api.ts";
import { startCarillon } from "./process.ts";
import { atMost, type BenchResult, figure, quantile } from "./result.ts";
import { createDataFolder, seedTopic } from "./subscriptions.ts";

export async function benchLatency({
  messages = 400,
} = {}): Promise<BenchResult> {
  // The receiver lives in this process: one clock for both ends.
  let arrived: (at: number) => void = () => {};
  const sink = createServer((socket) => {
    socket.on("data", () => {
      arrived(performance.now());
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    });
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => sink.listen(0, "127.0.0.1", resolve));
  const { port } = sink.address() as AddressInfo;
  await using data = await createDataFolder();
  await seedTopic(data.path, "idle", [`http://127.0.0.1:${port}/hook`]);
  await using carillon = await startCarillon(data.path);
  const latencies: number[] = [];
  for (let i = 0; i < messages + 50; i++) {
    const arrival = new Promise<number>((resolve) => {
      arrived = resolve;
    });
    const begun = performance.now();
    await publish(carillon.port, "idle");
    const ms = (await arrival) - begun;
    // The first ones warm up connections and the compiler.
    if (i >= 50) latencies.push(ms);
  }
  sink.close();
  return {
    name: "publish to first byte at the subscriber, idle",
    rows: [
      figure("median", quantile(latencies, 0.5), "ms"),
      atMost("p99", quantile(latencies, 0.99), 10, "ms"),
    ],
  };
}
