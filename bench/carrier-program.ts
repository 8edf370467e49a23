/**
 * A carrier in a process of its own: takes texts as JSON, answers each with an
 * id after a while, and counts. Options: {@link CarrierOptions}; answers
 * {@link CarrierQuestion}.
 */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type {
  CarrierOptions,
  CarrierQuestion,
  CarrierState,
} from "./carrier.ts";
import { monotonicMs } from "./clock.ts";
import { programOptions, serveQuestions } from "./program.ts";

const { answerMs } = programOptions<CarrierOptions>();

let texts = 0;
let lastAt = 0;
let ids = 0;
let connections = 0;
const different = new Set<string>();

const server = createServer(async (request, response) => {
  const body = await text(request);
  texts++;
  different.add(body);
  lastAt = monotonicMs();
  const answer = `{"id":"T${++ids}"}`;
  setTimeout(() => {
    response.writeHead(200, {
      "content-type": "application/json",
      "content-length": answer.length,
    });
    response.end(answer);
  }, answerMs);
});
let open = 0;
server.on("connection", (socket) => {
  connections = Math.max(connections, ++open);
  socket.on("close", () => open--);
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  serveQuestions(port, ({ question }: { question: CarrierQuestion }) => {
    if (question === "reset") {
      texts = 0;
      connections = open;
      different.clear();
    }
    return {
      texts,
      different: different.size,
      lastAt,
      connections,
    } satisfies CarrierState;
  });
});
