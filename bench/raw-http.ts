/**
 * HTTP/1.1 as load generators speak it: they write bytes and look only for the end of
 * each answer, so that the server under test is what is measured.
 */

import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface RawRequest {
  readonly port: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export function requestBytes(request: RawRequest): Buffer {
  const { port, method, path, headers, body } = request;
  const head = Object.entries({
    host: `127.0.0.1:${port}`,
    "content-type": "application/json",
    ...headers,
    "content-length": String(Buffer.byteLength(body)),
  })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${head}\r\n${body}`);
}

/** @param localAddress one of 127.0.0.0/8; each has ports of its own */
export async function openSocket(
  port: number,
  localAddress = "127.0.0.1",
): Promise<Socket> {
  const socket = connect({
    port,
    host: "127.0.0.1",
    localAddress,
    noDelay: true,
  });
  await once(socket, "connect");
  return socket;
}

/** Rejects when the connection ends before. */
export function nextAnswer(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let pending = "";
    const onEnd = (error?: Error) => {
      reject(error ?? new Error("The server closed the connection"));
    };
    const onData = (chunk: Buffer) => {
      pending += chunk.toString("latin1");
      const headEnd = pending.indexOf("\r\n\r\n");
      if (headEnd < 0) return;
      const length = /content-length: (\d+)/i.exec(pending)?.[1];
      if (pending.length < headEnd + 4 + Number(length ?? 0)) return;
      socket.off("data", onData).off("error", onEnd).off("close", onEnd);
      resolve(pending);
    };
    socket.on("data", onData).on("error", onEnd).on("close", onEnd);
  });
}
