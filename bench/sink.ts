/**
 * A webhook receiver in a process of its own. Counts POSTs; paths under /hang
 * get no answer. `GET /count` answers the count, `DELETE /count` clears it.
 */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

let count = 0;
const server = createServer(
  { keepAliveTimeout: 60_000 },
  (request, response) => {
    if (request.method === "POST") {
      request.resume();
      if (request.url?.startsWith("/hang")) return;
      request.on("end", () => {
        count++;
        response.statusCode = 200;
        response.end();
      });
      return;
    }
    if (request.method === "DELETE") count = 0;
    response.end(String(count));
  },
);
server.listen(0, "127.0.0.1", 4096, () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
