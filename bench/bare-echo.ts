/** The publish API's rival: a bare Fastify that answers the JSON it is sent. */

import type { AddressInfo } from "node:net";
import fastify from "fastify";

const app = fastify();
app.post("/echo", async (request) => request.body);
await app.listen({ port: 0, host: "127.0.0.1" });
process.send?.({ port: (app.server.address() as AddressInfo).port });
