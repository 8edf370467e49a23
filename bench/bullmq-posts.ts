/**
 * The other rival: BullMQ on Redis, a worker that makes the POSTs. Prints
 * seconds from adding the jobs to the end of the last.
 *
 * Arguments: sink port, number of jobs, concurrency, Redis port.
 */

import { Queue, Worker } from "bullmq";
import { Pool } from "undici";

const [port, jobs, concurrency, redisPort] = process.argv
  .slice(2)
  .map(Number) as [number, number, number, number];
const pool = new Pool(`http://127.0.0.1:${port}`, { connections: concurrency });
const body = JSON.stringify({ message: "benchmark", filler: "x".repeat(900) });
const headers = { "content-type": "application/json; charset=utf-8" };
const connection = { host: "127.0.0.1", port: redisPort };
const queue = new Queue("bench", { connection });
await queue.obliterate({ force: true });

let done = 0;
const finished = Promise.withResolvers<void>();
const begun = performance.now();
const worker = new Worker(
  "bench",
  async ({ data }: { data: { path: string } }) => {
    const { path } = data;
    const response = await pool.request({
      method: "POST",
      path,
      headers,
      body,
    });
    await response.body.dump();
  },
  { connection, concurrency, removeOnComplete: { count: 0 } },
);
worker.on("completed", () => {
  if (++done === jobs) finished.resolve();
});
for (let from = 0; from < jobs; from += 1000) {
  await queue.addBulk(
    Array.from({ length: Math.min(1000, jobs - from) }, (_, i) => ({
      name: "post",
      data: { path: `/hook/${from + i}` },
    })),
  );
}
await finished.promise;
process.stdout.write(String((performance.now() - begun) / 1000));
await worker.close();
await queue.close();
await pool.close();
