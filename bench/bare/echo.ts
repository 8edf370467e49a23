/**
 * The API's rival: a bare Fastify that answers the JSON it is sent. A GET is
 * answered with what was sent last.
 */

import type { AddressInfo } from "node:net";
import fastify from "fastify";
import { serveQuestions } from "../program.ts";

const app = fastify();
let last: unknown = {};
app.post("/echo", async (request) => {
  last = request.body;
  return last;
});
app.get("/echo", async () => last);
await app.listen({ port: 0, host: "127.0.0.1" });
serveQuestions((app.server.address() as AddressInfo).port, () => ({}));
