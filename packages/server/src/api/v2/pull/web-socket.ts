/**
 * Messages of a mailbox over a WebSocket (subprotocol `notify.v2`), confirmed over
 * the same connection. Frames are JSON texts with a `type`; see
 * `web-socket-frames.ts` for those of clients.
 */

import {
  CarillonError,
  type MailboxAccount,
  type Mailboxes,
  type MailboxStream,
  type StreamEnd,
} from "@carillon/core";
import type { FastifyRequest } from "fastify";
import type { WebSocket } from "ws";
import { RequestError } from "../../../errors.ts";
import { Type } from "../../../json-schema.ts";
import type { FailureLog } from "../../failure-log.ts";
import type { HttpApp } from "../../http-app.ts";
import type { WebSockets } from "../../web-socket-upgrades.ts";
import { refusals } from "../error-answers.ts";
import { problemStatus } from "../problem-codes.ts";
import { ack, extend, nack } from "./lease-requests.ts";
import { mailboxOf, mailboxParams } from "./mailbox-access.ts";
import type { PullPorts } from "./ports.ts";
import { readStreamOptions, streamQuery } from "./receive-options.ts";
import { tags, toPulledMessageBody } from "./schemas.ts";
import {
  type ClientFrame,
  checkClientFrame,
  parseFrame,
  refOf,
} from "./web-socket-frames.ts";

const subprotocol = "notify.v2";

/** Codes of RFC 6455 §7.4.1, and of the registry that it makes. */
const closeCodes = {
  normal: 1000,
  goingAway: 1001,
  unsupportedData: 1003,
  policyViolation: 1008,
  serviceRestart: 1012,
  tryAgainLater: 1013,
} as const;

/** By why the stream ends; of a client that does not read none gets through. */
const codeOfEnd = {
  stopping: closeCodes.goingAway,
  renew: closeCodes.serviceRestart,
  blocked: closeCodes.policyViolation,
  resumed_elsewhere: closeCodes.policyViolation,
  mailbox_gone: closeCodes.policyViolation,
} as const satisfies Readonly<Record<StreamEnd, number>>;

/** What is kept of a connection whose client does not read, in bytes. */
const maxBufferedBytes = 64 * 1024;

/**
 * For each stale lease that it named a client waits so long for its next answer;
 * few clients ever do, and a thousand at a time, again and again, would keep the
 * store from all others. Milliseconds.
 */
const restOfStaleMs = 1;

export interface WebSocketPorts {
  readonly webSockets: Pick<WebSockets, "accept">;
  readonly failures: Pick<FailureLog, "report">;
}

export function mailboxWebSocketRoutes(
  app: HttpApp,
  ports: PullPorts & WebSocketPorts,
): void {
  const { mailboxes, pullSubscribers, webSockets } = ports;

  app.get(
    "/subscriptions/:mailbox/ws",
    {
      config: {
        operation: "pull.receive",
        account: "subscriber",
        answersItself: true,
      },
      exposeHeadRoute: false,
      schema: {
        summary: "Streams messages over a WebSocket, and takes confirmations",
        description:
          'Subprotocol `notify.v2`. Each frame is a JSON object with a `type`. The server sends `start` first (with the `eventId` that `after` takes to resume what is cut off before its first message), `message` (with `eventId`, and what a fetched message has), `ping` every 15 seconds, `acked`, `nacked` and `extended` as answers, `error` (with `code` and `detail`), and `end` with its `reason` before it closes. A client sends `{"type": "ack", "leaseIds": […]}`, `nack` (with `delayMs`), `extend` (with `seconds`), each as the request of that name, and `{"type": "flow", "credit": n}`; a `ref` in it stands in the answer, too. At most `credit` messages are out at once. Closing with code 1000 gives back at once what is not confirmed.',
        tags,
        params: mailboxParams,
        querystring: streamQuery,
        response: {
          101: Type.Null({ description: "The connection is a WebSocket" }),
          ...refusals,
        },
      },
    },
    async (request, reply) => {
      const options = readStreamOptions(
        request.query,
        request.headers["last-event-id"],
      );
      const { mailbox: reference } = request.params;
      const mailbox = await mailboxOf(request, reference, pullSubscribers);
      const webSocket = await webSockets.accept(request, reply, subprotocol);
      const connection = new MailboxConnection(
        webSocket,
        request,
        mailbox,
        ports,
      );
      await connection.open((output) =>
        mailboxes.stream(mailbox, options, output),
      );
      return reply;
    },
  );
}

type Answer = { readonly type: string } & (
  | Awaited<ReturnType<typeof ack>>
  | Awaited<ReturnType<typeof nack>>
  | Awaited<ReturnType<typeof extend>>
);

/** One consumer's connection; it ends with its socket. */
class MailboxConnection {
  readonly #webSocket: WebSocket;
  readonly #request: FastifyRequest;
  readonly #mailbox: MailboxAccount;
  readonly #mailboxes: Mailboxes;
  readonly #failures: WebSocketPorts["failures"];
  readonly #clock: PullPorts["clock"];
  readonly #frames: Buffer[] = [];
  #isHandling = false;
  #stream: MailboxStream | undefined;
  /** It was told to take no more; see `StreamOutput.deliver`. */
  #isFull = false;

  constructor(
    webSocket: WebSocket,
    request: FastifyRequest,
    mailbox: MailboxAccount,
    { mailboxes, failures, clock }: PullPorts & WebSocketPorts,
  ) {
    this.#webSocket = webSocket;
    this.#request = request;
    this.#mailbox = mailbox;
    this.#mailboxes = mailboxes;
    this.#failures = failures;
    this.#clock = clock;
  }

  /** Goes on until the socket is closed; what the stream refuses closes it. */
  async open(
    openStream: (
      output: Parameters<Mailboxes["stream"]>[2],
    ) => Promise<MailboxStream>,
  ): Promise<void> {
    const webSocket = this.#webSocket;
    let closedWith: number | undefined;
    webSocket.on("error", () => webSocket.terminate());
    webSocket.once("close", (code) => {
      closedWith = code;
      this.#close(code);
    });
    webSocket.on("message", (data, isBinary) => {
      if (isBinary) {
        webSocket.close(closeCodes.unsupportedData, "Text is expected.");
      } else if (Buffer.isBuffer(data)) this.#take(data);
    });
    // What comes before there is a stream waits.
    this.#isHandling = true;
    try {
      this.#stream = await openStream({
        begin: (eventId) => void this.#send({ type: "start", eventId }),
        deliver: (message, eventId) =>
          this.#send({
            type: "message",
            eventId,
            ...toPulledMessageBody(message),
          }),
        beat: () => void this.#send({ type: "ping" }),
        end: (reason) => this.#end(reason),
      });
    } catch (error) {
      this.#sendError(error, undefined);
      webSocket.close(closeCodes.tryAgainLater);
      return;
    }
    // The client may be gone by now.
    if (closedWith !== undefined) this.#close(closedWith);
    this.#isHandling = false;
    void this.#handleAll();
  }

  #close(code: number): void {
    this.#frames.length = 0;
    this.#stream?.close({ giveBack: code === closeCodes.normal });
    this.#stream = undefined;
  }

  #end(reason: StreamEnd): void {
    const webSocket = this.#webSocket;
    if (reason === "blocked") {
      webSocket.terminate();
      return;
    }
    this.#send({ type: "end", reason });
    webSocket.close(codeOfEnd[reason], reason);
  }

  #take(frame: Buffer): void {
    this.#frames.push(frame);
    // Nothing more is read before it is answered.
    this.#webSocket.pause();
    void this.#handleAll();
  }

  /** One after the other, and none while the client does not read answers. */
  async #handleAll(): Promise<void> {
    if (this.#isHandling) return;
    this.#isHandling = true;
    try {
      while (!this.#isFull) {
        const frame = this.#frames.shift();
        if (frame === undefined) break;
        await this.#handle(frame);
        await new Promise(setImmediate);
      }
    } finally {
      this.#isHandling = false;
    }
    if (this.#frames.length === 0 && this.#webSocket.isPaused) {
      this.#webSocket.resume();
    }
  }

  async #handle(bytes: Buffer): Promise<void> {
    let ref: ClientFrame["ref"];
    try {
      const value = parseFrame(bytes);
      ref = refOf(value);
      const frame = checkClientFrame(value);
      const answer = await this.#carryOut(frame);
      if (!answer) return;
      this.#send({ ...answer, ...(ref !== undefined && { ref }) });
      await this.#rest(answer.stale.length * restOfStaleMs);
    } catch (error) {
      this.#sendError(error, ref);
    }
  }

  /** Then the next frame is looked at. */
  #rest(ms: number): Promise<void> | undefined {
    if (ms === 0) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#clock.setTimer(ms, resolve);
    return promise;
  }

  async #carryOut(frame: ClientFrame): Promise<Answer | undefined> {
    const mailboxes = this.#mailboxes;
    const mailbox = this.#mailbox;
    switch (frame.type) {
      case "ack":
        return { type: "acked", ...(await ack(mailboxes, mailbox, frame)) };
      case "nack":
        return { type: "nacked", ...(await nack(mailboxes, mailbox, frame)) };
      case "extend":
        return {
          type: "extended",
          ...(await extend(mailboxes, mailbox, frame)),
        };
      case "flow":
        this.#stream?.setCredit(frame.credit);
        return undefined;
      default:
        return frame satisfies never;
    }
  }

  #sendError(error: unknown, ref: ClientFrame["ref"]): void {
    const isKnown =
      error instanceof CarillonError || error instanceof RequestError;
    const status = isKnown ? problemStatus(error.code) : 500;
    if (status >= 500) this.#failures.report(this.#request, status, error);
    this.#send({
      type: "error",
      code: isKnown ? error.code : "INTERNAL_ERROR",
      detail: isKnown ? error.message : "See the server's log.",
      ...(ref !== undefined && { ref }),
    });
  }

  /** False: the client is behind; it is told once it has caught up. */
  #send(frame: object): boolean {
    const webSocket = this.#webSocket;
    webSocket.send(JSON.stringify(frame), () => this.#onSent());
    if (webSocket.bufferedAmount < maxBufferedBytes) return true;
    this.#isFull = true;
    return false;
  }

  #onSent(): void {
    if (!this.#isFull || this.#webSocket.bufferedAmount > 0) return;
    this.#isFull = false;
    this.#stream?.drained();
    void this.#handleAll();
  }
}
