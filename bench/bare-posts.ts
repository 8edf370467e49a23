/**
 * The engine's rival: as many POSTs with a body of the same size as fast as
 * undici makes them, nothing kept. Prints seconds.
 *
 * Arguments: sink port, number of POSTs, concurrency.
 */

import { Pool } from "undici";

const [port, posts, concurrency] = process.argv.slice(2).map(Number) as [
  number,
  number,
  number,
];
const pool = new Pool(`http://127.0.0.1:${port}`, { connections: concurrency });
const body = JSON.stringify({
  type: "Notification",
  message: "benchmark",
  filler: "x".repeat(900),
});
const headers = { "content-type": "application/json; charset=utf-8" };
let next = 0;
const begun = performance.now();
await Promise.all(
  Array.from({ length: concurrency }, async () => {
    while (next < posts) {
      const path = `/hook/${next++}`;
      const response = await pool.request({
        method: "POST",
        path,
        headers,
        body,
      });
      await response.body.dump();
    }
  }),
);
process.stdout.write(String((performance.now() - begun) / 1000));
await pool.close();
