/**
 * Bounds the memory that strangers can take: bodies of requests whose sender
 * is not known yet (log-ins, confirmations, signed requests before their
 * signature is verified, routes that are not there) have a budget in all, of
 * which one address has half; IPv6 addresses of one /64 count as one.
 */

import { Transform } from "node:stream";
import { CarillonError, networkOf } from "@carillon/core";
import type { FastifyRequest } from "fastify";
import type { HttpApp } from "./http-app.ts";

/** Bytes of bodies without proven credentials that are read at once. */
const unprovenBodyBytes = 32 * 1024 * 1024;

/** Counts the bytes that are held, by address: see `networkOf`. */
export class BodyBudget {
  readonly #maxBytes: number;
  #heldBytes = 0;
  readonly #heldByNetwork = new Map<string, number>();

  constructor(maxBytes = unprovenBodyBytes) {
    this.#maxBytes = maxBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Answers whether there was room; only then {@link release} them. */
  take(address: string, bytes: number): boolean {
    const network = networkOf(address);
    const held = this.#heldByNetwork.get(network) ?? 0;
    if (
      this.#heldBytes + bytes > this.#maxBytes ||
      held + bytes > this.#maxBytes / 2
    ) {
      return false;
    }
    this.#heldBytes += bytes;
    this.#heldByNetwork.set(network, held + bytes);
    return true;
  }

  release(address: string, bytes: number): void {
    this.#heldBytes -= bytes;
    const network = networkOf(address);
    const left = (this.#heldByNetwork.get(network) ?? 0) - bytes;
    if (left > 0) this.#heldByNetwork.set(network, left);
    else this.#heldByNetwork.delete(network);
  }
}

/**
 * Makes the budget count for all routes of an app: what does not fit is
 * answered 503 before it is read.
 */
export function boundUnprovenBodies(
  app: HttpApp,
  budget = new BodyBudget(),
): void {
  const releases = new WeakMap<FastifyRequest, () => void>();

  // After the hooks that know callers by the head of the request.
  app.addHook("preParsing", (request, reply, payload, done) => {
    const { method, headers } = request;
    const declared = headers["content-length"];
    const isChunked = headers["transfer-encoding"] !== undefined;
    if (
      request.principal ||
      request.account ||
      (declared === undefined && !isChunked) ||
      method === "GET" ||
      method === "HEAD"
    ) {
      done(null, payload);
      return;
    }
    const { ip } = request;
    let bytes = 0;
    let isReleased = false;
    const take = (more: number): boolean => {
      if (isReleased) return true;
      const hasRoom = budget.take(ip, more);
      if (hasRoom) bytes += more;
      return hasRoom;
    };
    const release = () => {
      isReleased = true;
      budget.release(ip, bytes);
      bytes = 0;
    };
    releases.set(request, release);
    // However the request ends before its body was read.
    reply.raw.once("close", release);
    if (!isChunked) {
      // What is longer is refused without being read.
      const isRead = Number(declared) <= request.routeOptions.bodyLimit;
      if (isRead && !take(Number(declared))) done(noRoom());
      else done(null, payload);
      return;
    }
    const counted = new Transform({
      transform(chunk: Buffer, _encoding, next) {
        if (take(chunk.length)) next(null, chunk);
        else next(noRoom());
      },
    });
    payload.on("error", (error) => counted.destroy(error));
    done(null, payload.pipe(counted));
  });

  // The body is here, and what it is worth is decided at once.
  app.addHook("preValidation", (request, _reply, done) => {
    releases.get(request)?.();
    done();
  });
}

function noRoom(): CarillonError {
  return new CarillonError(
    "OVERLOADED",
    "Too many requests without proven credentials at once; try again in a moment.",
  );
}
